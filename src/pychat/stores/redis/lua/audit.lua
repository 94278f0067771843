-- Entries of the audit log before number `before` (empty: the end), the newest last, and the number of the last one.

local before, limit = unpack(ARGV)
local newest = tonumber(call('HGET', META, 'entries') or 0)
local last = before == '' and newest or math.min(tonumber(before) - 1, newest)
local first = newest - call('LLEN', AUDIT) + 1 -- the number of the entry at index 0
if last < first or tonumber(limit) < 1 then return {'ok', last, {}} end
return {'ok', last, call('LRANGE', AUDIT, math.max(0, last - first + 1 - limit), last - first)}
