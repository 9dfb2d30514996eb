-- wrk -s load.lua URL -- get FILE | scan FILE | register PLOTS DAY TOKEN | sale FIRST LAST DAY TOKEN | book FIRST LAST
-- A line of FILE is a host, a path and, if one is needed, a token.

local count = 0
function setup(thread)
    thread:set("number", count)
    count = count + 1
end

local function post(path, token, body)
    local credentials = token and "Authorization: Bearer " .. token .. "\r\n" or ""
    return "POST " .. path .. " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" .. credentials
        .. "Content-Length: " .. #body .. "\r\n\r\n" .. body
end

-- Every line in turn, each thread from another one on.
local function in_turn(file, method, fields)
    local heads = {}
    for line in io.lines(file) do
        local host, path, token = line:match("(%S+) (%S+) ?(%S*)")
        heads[#heads + 1] = method .. " " .. path .. " HTTP/1.1\r\nHost: " .. host .. "\r\n" .. fields
            .. (token ~= "" and "Authorization: Bearer " .. token .. "\r\n" or "")
    end
    local place = number * 7919
    return function()
        place = place + 1
        return heads[place % #heads + 1]
    end
end

local function get(arguments)
    local head = in_turn(arguments[2], "GET", "")
    return function() return head() .. "\r\n" end
end

-- Every scan by a visitor of its own.
local function scan(arguments)
    local head = in_turn(arguments[2], "POST", "Content-Type: application/json\r\nContent-Length: 2\r\n")
    local visitor, run = 0, os.time()
    return function()
        visitor = visitor + 1
        return head() .. "User-Agent: phone " .. run .. "-" .. number .. "-" .. visitor .. "\r\n\r\n{}"
    end
end

local function register(arguments)
    local plots, day, token = tonumber(arguments[2]), arguments[3], arguments[4]
    return function()
        return post("/api/v1/batches", token, string.format(
            '{"plot":"%d","variety":"瑞蟠21号","grade":"特级","harvestedOn":"%s","weight":{"grams":%d}}',
            math.random(plots), day, 1000 * math.random(1000)))
    end
end

local function sale(arguments)
    local first, last, day, token = tonumber(arguments[2]), tonumber(arguments[3]), arguments[4], arguments[5]
    return function()
        return post("/api/v1/sales", token, string.format(
            '{"soldOn":"%s","channel":"批发","buyer":"红旗农贸批发","lines":[{"batch":%d,"weight":{"grams":500},'
            .. '"price":{"fen":850,"per":"jin"}}]}', day, math.random(first, last)))
    end
end

-- Each booking by a phone of its own: of one phone few may be open.
local function book(arguments)
    local first, last = tonumber(arguments[2]), tonumber(arguments[3])
    local phone = os.time() % 100000 * 10000
    return function()
        phone = phone + 1
        return post("/api/v1/tours/bookings", nil, string.format(
            '{"unit":"区委党校主体班","unitKind":"party_school","headcount":1,"leader":"韩老师","phone":"1%d%09d",'
            .. '"sessions":[%d]}', 3 + number % 7, phone % 1000000000, math.random(first, last)))
    end
end

function init(arguments)
    math.randomseed(os.time() + number)
    request = ({ get = get, scan = scan, register = register, sale = sale, book = book })[arguments[1]](arguments)
end

function done(summary)
    local e = summary.errors
    io.write(string.format("RESULT %d %d %d\n", summary.requests, summary.duration,
        e.connect + e.read + e.write + e.status + e.timeout))
end
