-- Put what has become of a message in the place of its revisions, if there are no new ones.

local seq, before, after = unpack(ARGV)
if call('HGET', FATES, seq) == before then call('HSET', FATES, seq, after) end
return {'ok'}
