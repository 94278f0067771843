-- The last messages before a number, newest first, each with its revisions; and the number of the newest event.

local before, limit = unpack(ARGV)
local messages = {}
for _, seq in ipairs(call('ZRANGE', MESSAGES, before, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, limit)) do
  local entry = call('XRANGE', LOG, seq .. '-0', seq .. '-0')[1]
  table.insert(messages, {tonumber(seq), entry[2][6], call('HGET', REVISIONS, seq) or ''})
end
return {'ok', tonumber(call('HGET', META, 'seq') or 0), messages}
