-- For each member the rooms, the read positions, and how many messages and mentions come after them. KEYS[1] is the
-- prefix of all rooms. Redis finds the number of members of a sorted set in a range without counting them.

local found = {}
for _, member in ipairs(ARGV) do
  local reads, rooms = call('HGETALL', KEYS[1] .. 'reads:' .. member), {}
  for index = 1, #reads, 2 do
    local room, seq = KEYS[1] .. '{' .. reads[index] .. '}:', '(' .. reads[index + 1]
    local messages = call('ZCOUNT', room .. 'messages', seq, '+inf')
    local mentioned = messages > 0 and call('ZCOUNT', room .. 'mentions:' .. member, seq, '+inf') or 0
    table.insert(rooms, {reads[index], tonumber(reads[index + 1]), messages, mentioned})
  end
  table.insert(found, rooms)
end
return {'ok', found}
