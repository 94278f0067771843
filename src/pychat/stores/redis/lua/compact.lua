-- Replace the revisions of a message by the result of applying them. Newer ones stay after it.

local seq, before, after = unpack(ARGV)
local revisions = call('HGET', REVISIONS, seq) or ''
if string.sub(revisions, 1, #before) ~= before then return {'changed'} end
if before == '' and revisions ~= '' then after = after .. '\n' end
call('HSET', REVISIONS, seq, after .. string.sub(revisions, #before + 1))
return {'ok'}
