-- Number an event and keep it, unless its author has sent it before, or it can no longer happen to its message. Then
-- make room.

-- Which kinds of reactions a message has, by its revisions, a line each.
local function kinds(fate)
  local chosen = {}
  for line in string.gmatch(fate, '[^\n]+') do
    local each = cjson.decode(line)
    for _, pair in ipairs(each.reactions or {}) do
      chosen[pair[1]] = {}
      for _, id in ipairs(pair[2]) do chosen[pair[1]][id] = true end
    end
    if each.kind == 'reacted' then
      chosen[each.emoji] = chosen[each.emoji] or {}
      chosen[each.emoji][each.author[1]] = each.on or nil
    end
  end
  local found, count = {}, 0
  for emoji, ids in pairs(chosen) do
    if next(ids) then found[emoji], count = true, count + 1 end
  end
  return found, count
end

-- Why `event` can no longer happen to the message, if it cannot. The same rules as in revision.py.
local function impossible(fate, event, most)
  -- Quotes within a text are escaped, so this is found only where it is meant.
  local gone = string.find(fate, '"kind":"deleted"', 1, true) or string.find(fate, '"deleted":true', 1, true)
  if gone and event.kind ~= 'deleted' then return 'deleted' end
  if event.kind ~= 'reacted' or not event.on then return end
  local lines = select(2, string.gsub(fate, '\n', '')) + 1
  if lines < most and not string.find(fate, '"reactions":', 1, true) then return end
  local found, count = kinds(fate)
  if count >= most and not found[event.emoji] then return 'full' end
end

local epoch, known, id, target, date, event, count, oldest, most_kinds = unpack(ARGV)
if lost(epoch, known) then return {'lost'} end
local before = call('HGET', IDS, id)
if before then
  local entry = call('XRANGE', LOG, before .. '-0', before .. '-0')[1]
  return {'before', tick(), tonumber(before), entry[2][6]}
end

local fate = target ~= '' and call('HGET', FATES, target)
local fault = fate and impossible(fate, cjson.decode(event), tonumber(most_kinds))
if fault then return {fault, tick()} end

local seq = call('HINCRBY', META, 'seq', 1)
call('XADD', LOG, seq .. '-0', 'id', id, 'date', date, 'event', event)
call('HSET', IDS, id, seq)
local revisions = 0
if target == '' then
  call('ZADD', MESSAGES, seq, seq)
elseif call('ZSCORE', MESSAGES, target) then
  fate = fate and fate .. '\n' .. event or event
  revisions = select(2, string.gsub(fate, '\n', '')) + 1
  call('HSET', FATES, target, fate)
end
tell(seq, event)
retain(tonumber(count), tonumber(oldest), 16)
return {'ok', tick(), seq, revisions}
