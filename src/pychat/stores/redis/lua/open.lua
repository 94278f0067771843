-- A consistent snapshot of the room. The room begins here if it was never open, or if its log was lost.

local server, ttl, new_epoch, new_secret, lost_epoch, unnamed, mine, again = unpack(ARGV)
if call('HGET', META, 'deleted') then
  if again ~= '' then return {'room_deleted'} end -- a server that has not read of the deletion
  call('HDEL', META, 'deleted')
  call('PERSIST', META)
  call('PERSIST', FEED)
end
local epoch = call('HGET', META, 'epoch')
if not epoch or epoch == lost_epoch then
  epoch = new_epoch
  call('HSET', META, 'epoch', epoch)
end
call('HSETNX', META, 'secret', new_secret)
local time = now()
call('ZADD', SERVERS, time + tonumber(ttl), server)
guests(server, unnamed)

-- The members on this server, in case Redis has lost them.
for _, each in ipairs(cjson.decode(mine)) do
  local id, name, keys, event = unpack(each)
  if not taken(id, keys) then join(id, name, keys, server, event) end
end

local alive = {}
for _, each in ipairs(call('ZRANGEBYSCORE', SERVERS, time, '+inf')) do alive[each] = true end
local here, away = {}, {}
local members = call('HGETALL', MEMBERS)
for index = 1, #members, 2 do
  local member = cjson.decode(members[index + 1])
  local list = away
  for each in pairs(member.on) do
    if alive[each] then list = here end
  end
  table.insert(list, {members[index], member.name, member.joined, cjson.encode(member.roles or {})})
end
local counts = {}
local counted = call('HGETALL', GUESTS)
for index = 1, #counted, 2 do
  if alive[counted[index]] then
    table.insert(counts, counted[index])
    table.insert(counts, tonumber(counted[index + 1]))
  end
end
local seq = tonumber(call('HGET', META, 'seq') or 0)
return {'ok', tick(), epoch, seq, call('HGET', META, 'secret'), here, away, call('HGETALL', KNOWN), counts}
