-- A member joins, leaves or types: claim or release the name, and publish the change.

local epoch, known, server, kind, id, name, keys, event, adopted, unnamed = unpack(ARGV)
if lost(epoch, known) then return gone() end

if kind == 'joined' or kind == 'renamed' then
  keys = cjson.decode(keys)
  if taken(id, keys) then return {'taken', tick()} end
  guests(server, unnamed) -- atomic with the join: a guest who takes a name is never counted twice
  join(id, name, keys, server, event)
elseif kind == 'away' then
  disconnect(id, server, server, now(), adopted ~= '')
elseif kind == 'left' then
  local member = find(id)
  -- A member who is on other servers only has reconnected there before the grace time ended here.
  if member and (member.on[server] or not next(member.on)) then leave(id, member) end
  guests(server, unnamed)
else
  publish('', event)
end
return {'ok', tick()}
