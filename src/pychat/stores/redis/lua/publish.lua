-- Report something to all servers.

local epoch, report, author = unpack(ARGV)
if lost(epoch, 0) then return gone() end
if author ~= '' then
  call('HDEL', KNOWN, author)
  call('ZREM', LEFT, author)
end
publish('', report)
return {'ok', tick()}
