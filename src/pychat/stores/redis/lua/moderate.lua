-- Change the moderation records of a room, if their version is `after`. The arguments after `max_entries` are the field,
-- the record (empty if it is removed) and the end (empty if it has none) of each change.

local epoch, known, after, report, entry, date, max_entries = unpack(ARGV, 1, 7)
if call('HGET', META, 'deleted') then return {'room_deleted'} end
if lost(epoch, known) then return gone() end
if (call('HGET', META, 'moderation') or '0') ~= after then return {'conflict', tick()} end
remove_ended(date)
for index = 8, #ARGV, 3 do
  local field, record, till = unpack(ARGV, index, index + 2)
  if record == '' then call('HDEL', RECORDS, field) else call('HSET', RECORDS, field, record) end
  if till == '' then call('ZREM', ENDS, field) else call('ZADD', ENDS, till, field) end
end
local number = 0
if entry ~= '' then
  number = call('HINCRBY', META, 'entries', 1)
  call('RPUSH', AUDIT, entry)
  call('LTRIM', AUDIT, -max_entries, -1)
  report = string.sub(report, 1, -2) .. ',"number":' .. number .. '}'
end
call('HINCRBY', META, 'moderation', 1)
publish('', report)
return {'ok', tick(), number}
