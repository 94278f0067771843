-- Take, keep or release the lock for the erasing of a room, so that the copies of two erasings do not mix.

local token, milliseconds = unpack(ARGV)
local holder = call('GET', key('erasing'))
if holder and holder ~= token then return {'taken'} end
if milliseconds == '0' then call('DEL', key('erasing')) else call('SET', key('erasing'), token, 'PX', milliseconds) end
return {'ok'}
