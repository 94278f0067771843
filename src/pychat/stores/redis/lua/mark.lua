-- Move read positions forward: member, room, number, and so on. KEYS[1] is the prefix of all rooms.

for index = 1, #ARGV, 3 do
  local reads, room, seq = KEYS[1] .. 'reads:' .. ARGV[index], ARGV[index + 1], tonumber(ARGV[index + 2])
  local before = tonumber(call('HGET', reads, room) or 1 / 0)
  if seq > before then
    seq = math.min(seq, tonumber(call('HGET', KEYS[1] .. '{' .. room .. '}:meta', 'seq') or 0))
    if seq > before then call('HSET', reads, room, seq) end
  end
end
return {'ok'}
