using System.Text;
using System.Text.Json.Nodes;
using PaDiM.Service.Tests.Support;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

public sealed class FuzzTests
{
    private static readonly string[] Verbs = ["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"];

    private static readonly string[] Queries = ["", "?limit=-1&cursor=%00&label=x&model=abc&heatmap=zzz&state=1&activate=perhaps&width=-1&format=zzz", "?limit=5&cursor=AAAA&model=-7&label=&category=%2e%2e&width=3&height=3&format=gray8"];

    private static readonly (string? Type, byte[] Body)[] Bodies =
    [
        (null, []),
        ("application/json", "{\"threshold\":[],\"imageSize\":{},\"activate\":9}"u8.ToArray()),
        ("application/json", [.. Enumerable.Repeat((byte)'[', 300)]),
        ("application/json; charset=nonsense", "null"u8.ToArray()),
        ("image/png", [0x89, .. "PNG\r\n"u8, 0x1A, 0x0A, 0xFF, 0xFF, 0xFF, 0xFF]),
        ("application/octet-stream", [255, 255, 255, 255, 255, 255, 255, 127, 1]),
        ("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=files; filename*=utf-8''%ZZ\r\n\r\nBM\r\n--b\r\n\r\nno disposition\r\n--b--"u8.ToArray()),
        ("multipart/form-data; boundary=b", "--b\r\nbroken header\r\n\r\n"u8.ToArray()),
    ];

    [Fact]
    public async Task Every_route_with_every_verb_answers_junk_with_a_problem_and_never_breaks()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path, ("JobWorkers", 0));
        await using var fitted = await RunningService.StartAsync(data.Path);
        var paths = (await service.Http.GetJsonAsync("/swagger/v1/swagger.json"))["paths"]!.AsObject().Select(path => path.Key).ToArray();
        Assert.True(paths.Length > 15, $"{paths.Length} paths");
        var (failures, count) = (new List<string>(), 0);
        foreach (var path in paths)
        {
            var category = fitted.Category("fuzzed");
            if (!(await service.Http.GetAsync(category.Url)).IsSuccessStatusCode)
            {
                await category.CreateAsync();
                await category.UploadPartsAsync(0, 2);
                await category.FitAsync();
            }
            foreach (var url in new[] { Fill(path, "fuzzed", "%F0%9F%92%A9%0A", "1"), Fill(path, "..%2f%2e", "..%2f", "99999999999") }.Distinct())
                foreach (var verb in Verbs)
                    foreach (var (query, (type, body)) in from query in Queries from body in Bodies select (query, body))
                    {
                        var bare = verb is "GET" or "HEAD" or "OPTIONS" or "TRACE" or "DELETE";
                        if (bare && type is not null) continue;
                        using var request = new HttpRequestMessage(new HttpMethod(verb), url + query);
                        if (!bare)
                        {
                            request.Content = new ByteArrayContent(body);
                            if (type is not null) request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
                        }
                        using var response = await service.Http.SendAsync(request);
                        count++;
                        var text = await response.Content.ReadAsStringAsync();
                        if ((int)response.StatusCode >= 500 || ((int)response.StatusCode >= 400 && verb != "HEAD" && !IsProblem(response, text)))
                            failures.Add($"{verb} {url}{query} {type}: {(int)response.StatusCode} {text}");
                    }
        }
        Assert.True(failures.Count == 0, string.Join('\n', failures.Take(20)));
        Assert.True(count > 1000, $"{count} requests");
    }

    private static string Fill(string path, string category, string id, string version) =>
        path.Replace("{category}", category, StringComparison.Ordinal).Replace("{id}", id, StringComparison.Ordinal).Replace("{version}", version, StringComparison.Ordinal);

    private static bool IsProblem(HttpResponseMessage response, string text) =>
        response.Content.Headers.ContentType?.MediaType == "application/problem+json" && JsonNode.Parse(Encoding.UTF8.GetBytes(text))?["code"] is not null;
}
