-- Whether Redis still has the last entry that this server received, and all that follow.

local epoch, known, event = unpack(ARGV)
if lost(epoch, known) then return gone() end
local last = call('XRANGE', FEED, known .. '-0', known .. '-0')[1]
if last and event ~= '' and last[2][4] ~= event and not last[2][6] then return {'lost'} end
local next_tick = tonumber(known) + 1
if tick() >= next_tick and not call('XRANGE', FEED, next_tick .. '-0', next_tick .. '-0')[1] then return {'behind'} end
return {'ok'}
