-- Delete a room, and report it to all servers. For an hour Redis knows that it was deleted.

local prefix, name = unpack(ARGV)
call('HDEL', prefix .. 'rooms', name)
call('ZREM', prefix .. 'rooms:names', name)
call('ZREM', prefix .. 'rooms:listed', name)
for _, id in ipairs(call('SMEMBERS', READERS)) do call('HDEL', prefix .. 'reads:' .. id, name) end
for _, id in ipairs(call('SMEMBERS', MENTIONED)) do call('UNLINK', mentions(id)) end
for _, server in ipairs(call('ZRANGE', SERVERS, 0, -1)) do call('UNLINK', on(server)) end
local before = tick()
call('UNLINK', META, FEED, LOG, IDS, MESSAGES, REVISIONS, MEMBERS, NAMES, AWAY, KNOWN, LEFT, SERVERS, GUESTS, READERS)
call('UNLINK', MENTIONS, MENTIONED, RECORDS, ENDS, AUDIT)
if before == 0 then return {'ok', 0} end
call('HSET', META, 'tick', before, 'deleted', 1)
publish('', '{"kind":"roomdeleted"}')
call('EXPIRE', META, 3600)
call('EXPIRE', FEED, 3600)
return {'ok', tick()}
