using System.Text;
using System.Text.Json.Nodes;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

public sealed class FuzzTests
{
    private static readonly string[] Verbs = ["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"];

    private static readonly string[] Queries =
    [
        "",
        "?limit=-1&cursor=%00&label=x&model=abc&heatmap=zzz&state=1&activate=perhaps&width=-1&format=zzz",
        "?limit=5&cursor=AAAA&model=-7&label=&category=%2e%2e&width=3&height=3&format=gray8",
    ];

    private static readonly (string? Type, byte[] Body)[] Bodies =
    [
        (null, []),
        ("application/json", "{\"threshold\":[],\"imageSize\":{},\"activate\":9}"u8.ToArray()),
        ("application/json", [.. Enumerable.Repeat((byte)'[', 300)]),
        ("application/json; charset=nonsense", "null"u8.ToArray()),
        ("image/png", [0x89, .. "PNG\r\n"u8, 0x1A, 0x0A, 0xFF, 0xFF, 0xFF, 0xFF]),
        ("application/octet-stream", [255, 255, 255, 255, 255, 255, 255, 127, 1]),
        (
            "multipart/form-data; boundary=b",
            [
                .. "--b\r\nContent-Disposition: form-data; name=files; filename*=utf-8''%ZZ\r\n\r\nBM\r\n"u8,
                .. "--b\r\n\r\nno disposition\r\n--b--"u8,
            ]
        ),
        ("multipart/form-data; boundary=b", "--b\r\nbroken header\r\n\r\n"u8.ToArray()),
    ];

    [Fact]
    public async Task Every_route_with_every_verb_answers_junk_with_a_problem_and_never_breaks()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path, ("JobWorkers", 0), ("Access", "open"));
        await using var fitted = await RunningService.StartAsync(data.Path, ("Access", "open"));
        var paths = (await service.Http.GetJsonAsync("/swagger/v1/swagger.json"))["paths"]!
            .AsObject()
            .Select(path => path.Key)
            .ToArray();
        Assert.True(paths.Length > 15, $"{paths.Length} paths");
        var failures = new List<string>();
        var count = 0;
        foreach (var path in paths)
        {
            var category = fitted.Category("fuzzed");
            if (!(await service.Http.GetAsync(category.Url)).IsSuccessStatusCode)
            {
                await category.CreateFittedAsync(2);
            }
            foreach (
                var url in new[]
                {
                    Fill(path, "fuzzed", "%F0%9F%92%A9%0A", "1"),
                    Fill(path, "..%2f%2e", "..%2f", "99999999999"),
                }.Distinct()
            )
            foreach (var verb in Verbs)
            foreach (var (query, (type, body)) in from query in Queries from body in Bodies select (query, body))
            {
                var bare = verb is "GET" or "HEAD" or "OPTIONS" or "TRACE" or "DELETE";
                if (bare && type is not null)
                    continue;
                using var request = new HttpRequestMessage(new HttpMethod(verb), url + query);
                if (!bare)
                {
                    request.Content = new ByteArrayContent(body);
                    if (type is not null)
                        request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
                }
                using var response = await service.Http.SendAsync(request);
                count++;
                var text = await response.Content.ReadAsStringAsync();
                if (
                    (int)response.StatusCode >= 500
                    || ((int)response.StatusCode >= 400 && verb != "HEAD" && !IsProblem(response, text))
                )
                    failures.Add($"{verb} {url}{query} {type}: {(int)response.StatusCode} {text}");
            }
        }
        Assert.True(failures.Count == 0, string.Join('\n', failures.Take(20)));
        Assert.True(count > 1000, $"{count} requests");
    }

    private static readonly string[] Values =
    [
        "",
        "0",
        "-1",
        "1",
        "2",
        "1000",
        "2147483648",
        "-9223372036854775809",
        "1e999",
        "NaN",
        "true",
        "null",
        "normal",
        "overlay",
        "safetensors",
        "tiny",
        "default",
        "abc",
        " ",
        "%00",
        "%0d%0aX-A:1",
        "%F0%9F%94%A9",
        "%ED%A0%80",
        "%FF%FE",
        "%2e%2e%2f",
        "{}",
        "[1]",
        "'--",
        string.Concat(Enumerable.Repeat("9", 1000)),
        string.Concat(Enumerable.Repeat("%E2%80%AE", 300)),
    ];

    private static readonly string?[] Types =
    [
        "application/json",
        "application/json",
        "application/json",
        "application/octet-stream",
        "image/png",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=b",
        "multipart/form-data",
        "application/json; charset=utf-16",
        "*/*",
        "a",
        "application/problem+json",
        null,
    ];

    /// <summary>
    /// Every operation that the document describes, with what it describes: parameters and members that are left out,
    /// of another kind, extreme, unknown or twice; the seed makes the same requests each time.
    /// </summary>
    [Fact]
    public async Task Every_operation_of_the_document_answers_what_is_nearly_right_with_a_problem_and_never_breaks()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path, ("JobWorkers", 0), ("Access", "open"));
        await using var fitted = await RunningService.StartAsync(data.Path, ("Access", "open"));
        var document = await service.Http.GetJsonAsync("/swagger/v1/swagger.json");
        var random = new Random(9);
        var failures = new List<string>();
        var seen = new Dictionary<int, int>();
        foreach (var (path, operations) in document["paths"]!.AsObject())
        {
            var category = fitted.Category("fuzzed");
            if (!(await service.Http.GetAsync(category.Url)).IsSuccessStatusCode)
            {
                await category.CreateFittedAsync(2);
            }
            foreach (var verb in Verbs)
            {
                var operation = operations![verb.ToLowerInvariant()];
                var parameters = Parameters(operation);
                var body = Example(document, operation);
                for (var round = 0; round < (operation is null ? 3 : 25); round++)
                {
                    var names = parameters.Append("unknown").Where(_ => random.Next(2) == 0);
                    var query = string.Join(
                        '&',
                        names
                            .SelectMany(name => Enumerable.Repeat(name, random.Next(20) == 0 ? 2 : 1))
                            .Select(name => $"{name}={Values[random.Next(Values.Length)]}")
                    );
                    using var request = new HttpRequestMessage(
                        new HttpMethod(verb),
                        $"{Fill(path, "fuzzed", random.Next(2) == 0 ? Guid.NewGuid().ToString("n") : "%01", $"{random.Next(3)}")}?{query}"
                    );
                    foreach (
                        var header in new[]
                        {
                            "Accept",
                            "Idempotency-Key",
                            "If-None-Match",
                            "Range",
                            "Accept-Encoding",
                        }.Where(_ => random.Next(4) == 0)
                    )
                        request.Headers.TryAddWithoutValidation(
                            header,
                            Types[random.Next(Types.Length)] ?? "bytes=9-1"
                        );
                    if (verb is "PUT" or "POST" or "PATCH")
                    {
                        request.Content = new ByteArrayContent(Mutated(body, random));
                        if (Types[random.Next(Types.Length)] is { } type)
                            request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
                    }
                    var what = $"{verb} {request.RequestUri} {request.Content?.Headers.ContentType}";
                    // A stream of events lasts as long as its job, which nobody runs here.
                    using var response = await service.Http.SendAsync(
                        request,
                        HttpCompletionOption.ResponseHeadersRead
                    );
                    var status = (int)response.StatusCode;
                    seen[status] = seen.GetValueOrDefault(status) + 1;
                    if (status < 400)
                        continue;
                    var text = await response.Content.ReadAsStringAsync();
                    if (status >= 500 || (verb != "HEAD" && !IsProblem(response, text)))
                        failures.Add($"{what}: {status} {text}");
                    if (operation is null && verb != "HEAD" && status is not 405 && !IsAnother(document, path, verb))
                        failures.Add($"{what}: {status} for a verb that is not there");
                }
            }
        }
        TestContext.Current.TestOutputHelper?.WriteLine(
            string.Join(", ", seen.OrderBy(pair => pair.Key).Select(pair => $"{pair.Value} x {pair.Key}"))
        );
        Assert.True(failures.Count == 0, string.Join('\n', failures.Take(20)));
        Assert.True(seen.Values.Sum() > 1000 && seen.GetValueOrDefault(200) > 20, "Hardly anything was asked.");
    }

    private static string[] Parameters(JsonNode? operation) =>
        [
            .. (operation?["parameters"]?.AsArray() ?? [])
                .Where(parameter => parameter!["in"]?.GetValue<string>() == "query")
                .Select(parameter => parameter!["name"]!.GetValue<string>()),
        ];

    /// <summary>
    /// A body as the document describes it: an example, or an object with every member of the schema.
    /// </summary>
    private static JsonNode? Example(JsonNode document, JsonNode? operation)
    {
        if (operation?["requestBody"]?["content"]?["application/json"] is not { } content)
            return null;
        if (content["examples"]?.AsObject().FirstOrDefault().Value?["value"] is { } example)
            return example;
        var schema = content["schema"]?["$ref"] is { } reference
            ? document["components"]!["schemas"]![reference.GetValue<string>().Split('/')[^1]]
            : content["schema"];
        return new JsonObject(
            (schema?["properties"]?.AsObject() ?? []).Select(member =>
                KeyValuePair.Create(member.Key, (JsonNode?)JsonValue.Create(1))
            )
        );
    }

    private static byte[] Mutated(JsonNode? example, Random random)
    {
        var bytes = new byte[random.Next(60)];
        random.NextBytes(bytes);
        if (example is not JsonObject body || random.Next(8) == 0)
            return bytes;
        var changed = body.DeepClone().AsObject();
        foreach (var name in body.Select(member => member.Key).Where(_ => random.Next(2) == 0))
        {
            if (random.Next(4) == 0)
                changed.Remove(name);
            else
                changed[name] = Junk(random, 0);
        }
        if (random.Next(6) == 0)
            changed["\ud83d\ude00"] = 1;
        var text = changed.ToJsonString();
        return Encoding.UTF8.GetBytes(random.Next(10) == 0 ? text[..random.Next(text.Length)] : text);
    }

    private static JsonNode? Junk(Random random, int depth) =>
        random.Next(depth > 3 ? 9 : 11) switch
        {
            0 => null,
            1 => JsonValue.Create(random.Next(2) == 0),
            2 => JsonValue.Create(random.Next(-2, 3)),
            3 => JsonValue.Create(long.MaxValue),
            4 => JsonNode.Parse("-1e308"),
            5 => JsonNode.Parse("0.0000000000000000000000000000001"),
            6 => JsonNode.Parse("1e999"),
            7 => JsonValue.Create(Values[random.Next(Values.Length)]),
            8 => JsonValue.Create(new string('\u202e', random.Next(2000))),
            9 => new JsonArray([.. Enumerable.Range(0, random.Next(4)).Select(_ => Junk(random, depth + 1))]),
            _ => new JsonObject(
                Enumerable.Range(0, random.Next(4)).Select(i => KeyValuePair.Create($"{i}", Junk(random, depth + 1)))
            ),
        };

    /// <summary>Gets whether an address of one path is also one of another, whose parameter takes its last word.</summary>
    private static bool IsAnother(JsonNode document, string path, string verb) =>
        document["paths"]!
            .AsObject()
            .Any(other =>
                other.Key != path
                && other.Value![verb.ToLowerInvariant()] is not null
                && other.Key.Split('/') is var theirs
                && path.Split('/') is var ours
                && theirs.Length == ours.Length
                && theirs.Zip(ours).All(pair => pair.First == pair.Second || pair.First.StartsWith('{'))
            );

    private static string Fill(string path, string category, string id, string version) =>
        path.Replace("{category}", category, StringComparison.Ordinal)
            .Replace("{id}", id, StringComparison.Ordinal)
            .Replace("{version}", version, StringComparison.Ordinal);

    private static bool IsProblem(HttpResponseMessage response, string text) =>
        response.Content.Headers.ContentType?.MediaType == "application/problem+json"
        && JsonNode.Parse(Encoding.UTF8.GetBytes(text))?["code"] is not null;
}
