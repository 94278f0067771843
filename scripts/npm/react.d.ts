import type { DetailedHTMLProps, HTMLAttributes } from "react";
import type { PychatRoom, PychatRoomEventMap, Theme } from "./element.js";
import type { PychatUnread } from "./unread.js";

type Props<Element> = Omit<DetailedHTMLProps<HTMLAttributes<Element>, Element>, "placeholder">;

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "pychat-room": Props<PychatRoom> & {
        src: string;
        room?: string;
        name?: string;
        theme?: Theme;
        placeholder?: string;
        language?: string;
        token?: PychatRoom["token"];
        onmessage?: (event: PychatRoomEventMap["message"]) => void;
        onjoined?: (event: PychatRoomEventMap["joined"]) => void;
        onstatus?: (event: PychatRoomEventMap["status"]) => void;
      };
      "pychat-unread": Props<PychatUnread> & { src: string; room?: string; mentions?: boolean; token?: PychatUnread["token"] };
    }
  }
}
