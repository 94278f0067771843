-- Number an event and keep it, unless its author has sent it before. Then make room.

local epoch, known, id, target, date, event, count, oldest = unpack(ARGV)
if lost(epoch, known) then return {'lost'} end
local before = call('HGET', IDS, id)
if before then
  local entry = call('XRANGE', LOG, before .. '-0', before .. '-0')[1]
  return {'before', tick(), tonumber(before), entry[2][6]}
end

local seq = call('HINCRBY', META, 'seq', 1)
call('XADD', LOG, seq .. '-0', 'id', id, 'date', date, 'event', event)
call('HSET', IDS, id, seq)
local revisions = 0
if target == '' then
  call('ZADD', MESSAGES, seq, seq)
elseif call('ZSCORE', MESSAGES, target) then
  local fate = call('HGET', FATES, target)
  fate = fate and fate .. '\n' .. event or event
  revisions = select(2, string.gsub(fate, '\n', '')) + 1
  call('HSET', FATES, target, fate)
end
tell(seq, event)
retain(tonumber(count), tonumber(oldest), 16)
return {'ok', tick(), seq, revisions}
