-- Publish the number of guests on this server.

local epoch, known, server, count = unpack(ARGV)
if lost(epoch, known) then return {'lost'} end
guests(server, count)
return {'ok', tick()}
