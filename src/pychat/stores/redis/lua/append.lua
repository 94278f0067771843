-- Number an event and store it, unless its author has sent it before, or its message no longer allows it. Then apply
-- retention.

-- The kinds of reactions of a message, from its revisions, a line each.
local function kinds(revisions)
  local chosen = {}
  for line in string.gmatch(revisions, '[^\n]+') do
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

-- Quotes within a text are escaped, so a text cannot match.
local function is_deleted(revisions)
  return string.find(revisions, '"kind":"deleted"', 1, true) or string.find(revisions, '"deleted":true', 1, true)
end

-- Why the message does not allow `event`, if so. The same rules as in revision.py.
local function refusal(revisions, event, max_kinds)
  if is_deleted(revisions) and event.kind ~= 'deleted' then return 'deleted' end
  if event.kind ~= 'reacted' or not event.on then return end
  local lines = select(2, string.gsub(revisions, '\n', '')) + 1
  if lines < max_kinds and not string.find(revisions, '"reactions":', 1, true) then return end
  local found, count = kinds(revisions)
  if count >= max_kinds and not found[event.emoji] then return 'full' end
end

local epoch, known, id, target, reply, mentioned, date, event, count, oldest, max_kinds = unpack(ARGV)
if lost(epoch, known) then return gone() end
local before = call('HGET', IDS, id)
if before then
  local entry = call('XRANGE', LOG, before .. '-0', before .. '-0')[1]
  return {'before', tick(), tonumber(before), entry[2][6]}
end

local revisions = target ~= '' and call('HGET', REVISIONS, target)
local fault = revisions and refusal(revisions, cjson.decode(event), tonumber(max_kinds))
if fault then return {fault, tick()} end
local quoted = reply ~= '' and call('HGET', REVISIONS, reply)
if quoted and is_deleted(quoted) then return {'requote', tick()} end

local seq = call('HINCRBY', META, 'seq', 1)
call('XADD', LOG, seq .. '-0', 'id', id, 'date', date, 'event', event)
call('HSET', IDS, id, seq)
local revision_count = 0
if target == '' then
  call('ZADD', MESSAGES, seq, seq)
elseif call('ZSCORE', MESSAGES, target) then
  revisions = revisions and revisions .. '\n' .. event or event
  revision_count = select(2, string.gsub(revisions, '\n', '')) + 1
  call('HSET', REVISIONS, target, revisions)
end
if mentioned ~= '' and (target == '' or call('ZSCORE', MESSAGES, target)) then
  mention(target == '' and seq or target, cjson.decode(mentioned))
end
publish(seq, event)
retain(tonumber(count), tonumber(oldest), 16)
return {'ok', tick(), seq, revision_count}
