-- Give a member a read position, unless there is one. An empty `seq` means the newest event.

local prefix, room, member, seq = unpack(ARGV)
if call('HGET', META, 'deleted') then return {'room_deleted'} end
local head = tonumber(call('HGET', META, 'seq') or 0)
call('SADD', READERS, member)
call('HSETNX', prefix .. 'reads:' .. member, room, seq == '' and head or math.max(0, math.min(head, tonumber(seq))))
return {'ok'}
