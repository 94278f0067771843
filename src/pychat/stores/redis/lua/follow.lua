-- Give a member a read position, unless there is one. An empty `seq` means the newest event.
-- Beyond `guests` members, a new one takes the place of a guest, if there is one among some that are drawn.

local prefix, room, member, seq, guests = unpack(ARGV)
if call('HGET', META, 'deleted') then return {'room_deleted'} end
local head = tonumber(call('HGET', META, 'seq') or 0)
if call('SADD', READERS, member) == 1 and call('SCARD', READERS) > tonumber(guests) then
  for _, each in ipairs(call('SRANDMEMBER', READERS, 20)) do
    if each ~= member and each:sub(1, 5) ~= 'user:' then
      call('SREM', READERS, each)
      call('HDEL', prefix .. 'reads:' .. each, room)
      break
    end
  end
end
call('HSETNX', prefix .. 'reads:' .. member, room, seq == '' and head or math.max(0, math.min(head, tonumber(seq))))
return {'ok'}
