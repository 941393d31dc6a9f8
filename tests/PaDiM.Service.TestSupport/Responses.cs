using System.Text.Json.Nodes;

namespace PaDiM.Service.TestSupport;

/// <summary>Expectations of answers.</summary>
internal static class Responses
{
    /// <summary>The JSON body of an answer with the expected status.</summary>
    public static async Task<JsonNode> JsonAsync(this HttpResponseMessage response, int status)
    {
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(status == (int)response.StatusCode, $"{(int)response.StatusCode} instead of {status}: {body}");
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        return JsonNode.Parse(body)!;
    }

    /// <summary>The problem that an answer must be.</summary>
    public static async Task<JsonNode> ProblemAsync(this HttpResponseMessage response, int status, string code)
    {
        var problem = await response.AnyProblemAsync();
        Assert.Equal((status, code), ((int)response.StatusCode, problem.Text("code")));
        return problem;
    }

    /// <summary>Whatever problem an answer is: complete in all its members.</summary>
    public static async Task<JsonNode> AnyProblemAsync(this HttpResponseMessage response)
    {
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(
            response.Content.Headers.ContentType?.MediaType == "application/problem+json",
            $"{(int)response.StatusCode} {response.Content.Headers.ContentType}: {body}"
        );
        var problem = JsonNode.Parse(body)!;
        Assert.Equal((int)response.StatusCode, problem["status"]!.GetValue<int>());
        Assert.Matches("^[a-z][a-z_]+$", problem.Text("code"));
        foreach (var member in new[] { "type", "title", "detail", "traceId" })
            Assert.NotEqual("", problem.Text(member));
        return problem;
    }

    public static string Text(this JsonNode node, string member) =>
        node[member]?.GetValue<string>() ?? throw new KeyNotFoundException($"No {member} in {node.ToJsonString()}");

    public static double Number(this JsonNode node, string member) =>
        node[member]?.GetValue<double>() ?? throw new KeyNotFoundException($"No {member} in {node.ToJsonString()}");

    public static JsonNode[] Items(this JsonNode node, string member = "items") =>
        [.. node[member]!.AsArray().Select(item => item!)];

    public static async Task<JsonNode> GetJsonAsync(this HttpClient http, string url) =>
        await (await http.GetAsync(url)).JsonAsync(200);

    /// <summary>A job when it has become final.</summary>
    public static Task<JsonNode> FinishedAsync(this HttpClient http, string job) =>
        http.JobWhenAsync(job, state => state is "succeeded" or "failed" or "cancelled");

    /// <summary>A job when it has come to a state.</summary>
    public static async Task<JsonNode> JobWhenAsync(this HttpClient http, string job, Func<string, bool> expected)
    {
        JsonNode? seen = null;
        await Eventually.TrueAsync(
            async () => expected((seen = await http.GetJsonAsync($"/v1/jobs/{job}")).Text("state")),
            () => $"Job: {seen?.ToJsonString()}"
        );
        return seen!;
    }
}
