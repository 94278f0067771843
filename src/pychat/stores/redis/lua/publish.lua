-- Report something to all servers.

local epoch, report, author = unpack(ARGV)
if lost(epoch, 0) then return gone() end
if author ~= '' then
  local member = find(author)
  if member and not next(member.on) then leave(author, member) end -- the name is held for somebody who is away
  call('HDEL', KNOWN, author)
  call('ZREM', LEFT, author)
end
publish('', report)
return {'ok', tick()}
