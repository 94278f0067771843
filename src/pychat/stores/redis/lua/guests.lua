-- Publish the number of guests on this server.

local epoch, known, server, count = unpack(ARGV)
if lost(epoch, known) then return gone() end
guests(server, count)
return {'ok', tick()}
