-- This server is alive. Once it has watched for long enough, it takes over the members of dead servers.

local epoch, known, server, ttl, watching, grace, unnamed, count, oldest = unpack(ARGV)
ttl, watching, grace = tonumber(ttl), tonumber(watching), tonumber(grace)
if lost(epoch, known) then return gone() end
local time = now()
call('ZADD', SERVERS, time + ttl, server)
guests(server, unnamed)
retain(tonumber(count), tonumber(oldest), 200)

local more = 0
-- Others beat less than `ttl` apart: only who has been watching for that long can publish that one does not.
if watching and time - watching >= ttl then
  local dead = call('ZRANGE', SERVERS, 0, 0, 'WITHSCORES')
  if tonumber(dead[2]) < time then
    guests(dead[1], '0')
    local ids = call('SRANDMEMBER', on(dead[1]), 500)
    for _, id in ipairs(ids) do
      disconnect(id, dead[1], server, math.max(tonumber(dead[2]) - ttl, watching), true)
    end
    if #ids == 0 then call('ZREM', SERVERS, dead[1]) end
    more = 1
  end
  for _, id in ipairs(call('ZRANGE', AWAY, 0, 499)) do
    local member = find(id)
    if not call('ZSCORE', SERVERS, member.watcher) then
      member.watcher, member.adopted = server, true
      save(id, member)
      call('ZADD', AWAY, math.max(tonumber(call('ZSCORE', AWAY, id)), watching), id)
    end
    if member.adopted and member.watcher == server and time - tonumber(call('ZSCORE', AWAY, id)) >= grace then
      leave(id, member)
    end
  end
end
return {'ok', tostring(time), more}
