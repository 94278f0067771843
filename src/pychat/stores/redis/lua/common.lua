-- What every step begins with: the keys of a room, and what becomes of its members. Redis runs a step as one.
-- KEYS[1] begins the name of each key, and holds the hash tag that keeps them together.

local call = redis.call
local function key(name) return KEYS[1] .. name end

local META = key('meta')          -- hash: epoch, secret, seq (of the log), tick (of what is told)
local TOLD = key('told')          -- stream tick-0: seq, event; what servers read, the newest only
local LOG = key('log')            -- stream seq-0: id, date, event; what is kept
local IDS = key('ids')            -- hash: author and id -> seq
local MESSAGES = key('messages')  -- sorted set: seq of each message that is kept
local FATES = key('fates')        -- hash: seq of a message -> its revisions, a line each
local MEMBERS = key('members')    -- hash: id -> name, roles if any, the name's keys, on which servers, when joined, who watches
local NAMES = key('names')        -- hash: key of a name -> id of its holder
local AWAY = key('away')          -- sorted set: id of who is on no server, by time
local KNOWN = key('known')        -- hash: id -> last name of who left
local LEFT = key('left')          -- sorted set: the same ids, by tick
local SERVERS = key('servers')    -- sorted set: server, by the time until which it is believed alive

local GUESTS = key('guests')      -- hash: server -> how many people without a name it has, if any

local TOLD_MOST = 10000
local KNOWN_MOST = 10000

local function on(server) return key('on:' .. server) end  -- set: ids of the members on that server

local function now()
  local time = call('TIME')
  return tonumber(time[1]) + tonumber(time[2]) / 1000000
end

local function tick() return tonumber(call('HGET', META, 'tick') or 0) end

-- Whether Redis has lost what the caller knows: another epoch ("" is any), or fewer ticks.
local function lost(epoch, known)
  local here = call('HGET', META, 'epoch')
  return epoch ~= '' and here ~= epoch or tick() < tonumber(known)
end

local function tell(seq, event)
  local number = call('HINCRBY', META, 'tick', 1)
  call('XADD', TOLD, 'MAXLEN', '~', TOLD_MOST, number .. '-0', 'seq', seq, 'event', event)
end

-- So many people without a name are on `server`; everybody is told, if that is news. `count` is a text.
local function guests(server, count)
  if (call('HGET', GUESTS, server) or '0') == count then return end
  if count == '0' then call('HDEL', GUESTS, server) else call('HSET', GUESTS, server, count) end
  tell('', '{"kind":"guests","server":"' .. server .. '","count":' .. count .. '}')
end

local function find(id)
  local text = call('HGET', MEMBERS, id)
  return text and cjson.decode(text)
end

local function save(id, member) call('HSET', MEMBERS, id, cjson.encode(member)) end

local function taken(id, keys)
  for _, each in ipairs(keys) do
    local holder = call('HGET', NAMES, each)
    if holder and holder ~= id then return true end
  end
  return false
end

local function free(id, member)
  for _, each in ipairs(member.keys or {}) do call('HDEL', NAMES, each) end
end

-- The member is on `server`, under a name whose keys are not `taken`.
local function join(id, name, keys, server, event)
  local member = find(id)
  local roles = cjson.decode(event).member[3]
  local changed = call('ZREM', AWAY, id) == 1 or not member or member.name ~= name
    or cjson.encode(member.roles or {}) ~= cjson.encode(roles or {})
  member = member or {on = {}, joined = tick()}
  free(id, member)
  for _, each in ipairs(keys) do call('HSET', NAMES, each, id) end
  member.name, member.roles, member.keys, member.watcher, member.adopted = name, roles, keys, nil, nil
  member.on[server] = true
  save(id, member)
  call('SADD', on(server), id)
  call('HDEL', KNOWN, id)
  call('ZREM', LEFT, id)
  if changed then tell('', event) end
end

-- The member is not on `server` any more. If it is on no other, it is away since then, and `watcher` is to end that:
-- its room, or (`adopted`) its store.
local function depart(id, server, watcher, since, adopted)
  call('SREM', on(server), id)
  local member = find(id)
  if not member or not member.on[server] then return end
  member.on[server] = nil
  if not next(member.on) then
    member.watcher, member.adopted = watcher, adopted
    call('ZADD', AWAY, since, id)
    tell('', cjson.encode({kind = 'away', member = {id, member.name, member.roles}}))
  end
  save(id, member)
end

local function leave(id, member)
  free(id, member)
  for server in pairs(member.on) do call('SREM', on(server), id) end
  call('HDEL', MEMBERS, id)
  call('ZREM', AWAY, id)
  tell('', cjson.encode({kind = 'left', member = {id, member.name, member.roles}}))
  call('HSET', KNOWN, id, member.name)
  call('ZADD', LEFT, tick(), id)
  while call('ZCARD', LEFT) > KNOWN_MOST do
    call('HDEL', KNOWN, call('ZPOPMIN', LEFT)[1])
  end
end

-- Forget at most `most` events from the start of the log: messages beyond `count`, and what is older than `oldest`.
local function retain(count, oldest, most)
  local excess = count and call('ZCARD', MESSAGES) - count or 0
  if excess <= 0 and not oldest then return end
  for _, entry in ipairs(call('XRANGE', LOG, '-', '+', 'COUNT', most)) do
    local seq, id, date = string.sub(entry[1], 1, -3), entry[2][2], tonumber(entry[2][4])
    if excess <= 0 and not (oldest and date < oldest) then return end
    excess = excess - call('ZREM', MESSAGES, seq)
    call('HDEL', FATES, seq)
    call('HDEL', IDS, id)
    call('XDEL', LOG, entry[1])
  end
end
