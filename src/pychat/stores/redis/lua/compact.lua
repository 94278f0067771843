-- Put what has become of a message in the place of the revisions that made it so. Newer ones stay behind it.

local seq, before, after = unpack(ARGV)
local fate = call('HGET', FATES, seq)
if fate and string.sub(fate, 1, #before) == before then
  call('HSET', FATES, seq, after .. string.sub(fate, #before + 1))
end
return {'ok'}
