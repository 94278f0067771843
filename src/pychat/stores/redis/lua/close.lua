-- This server stops: mark its members as away, some at a time, until none is left.

local server = unpack(ARGV)
guests(server, '0')
local ids = call('SRANDMEMBER', on(server), 500)
for _, id in ipairs(ids) do disconnect(id, server, server, now(), false) end
if #ids == 0 then call('ZREM', SERVERS, server) end
return {'ok', #ids}
