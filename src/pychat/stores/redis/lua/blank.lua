-- Replace entries of the audit log: the number, the entry and the new one of each.

local first = tonumber(call('HGET', META, 'entries') or 0) - call('LLEN', AUDIT) + 1
for index = 1, #ARGV, 3 do
  local at = tonumber(ARGV[index]) - first
  if at >= 0 and call('LINDEX', AUDIT, at) == ARGV[index + 1] then call('LSET', AUDIT, at, ARGV[index + 2]) end
end
return {'ok'}
