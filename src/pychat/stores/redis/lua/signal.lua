-- Somebody comes, goes, or writes: claim or free the name, and tell what it changes.

local epoch, known, server, kind, id, name, keys, event, adopted, unnamed = unpack(ARGV)
if lost(epoch, known) then return {'lost'} end

if kind == 'joined' or kind == 'renamed' then
  keys = cjson.decode(keys)
  if taken(id, keys) then return {'taken', tick()} end
  guests(server, unnamed) -- in one piece with it: whoever takes a name is never counted twice
  join(id, name, keys, server, event)
elseif kind == 'away' then
  depart(id, server, server, now(), adopted ~= '')
elseif kind == 'left' then
  local member = find(id)
  -- Who is here, but on other servers only, has come back there before the grace ended here.
  if member and (member.on[server] or not next(member.on)) then leave(id, member) end
  guests(server, unnamed)
else
  tell('', event)
end
return {'ok', tick()}
