using System.Text.Json.Nodes;
using PaDiM.Service.TestSupport;

namespace PaDiM.Service.Tests.Telemetry;

[Collection<TracedTests>]
public sealed class LogTests(TracedService traced)
{
    private readonly ObservedService _service = traced.Service;

    [Fact]
    public async Task Every_scored_image_is_a_line_with_its_part_its_decision_and_its_trace()
    {
        var category = await _service.FittedAsync("washer");
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{category.Url}/score")
        {
            Content = CategoryClient.Raw(Parts.Bad(1), "image/bmp"),
        };
        request.Headers.Add("X-Part-Id", "SN-0815");
        request.Headers.Add("X-Request-Id", "order 7, station 3");
        var answer = await _service.Http.SendAsync(request);
        var score = (await answer.JsonAsync(200)).Number("score");
        Assert.Equal(
            ("SN-0815", "order 7, station 3"),
            (answer.Headers.GetValues("X-Part-Id").Single(), answer.Headers.GetValues("X-Request-Id").Single())
        );

        var line = await EventAsync(each => (string?)each["PartId"] == "SN-0815" && each["Decision"] is not null);
        Assert.Equal(
            ("washer", 1, score),
            (line.Text("Category"), line["ModelVersion"]!.GetValue<int>(), line.Number("Score"))
        );
        Assert.Equal("order 7, station 3", line.Text("XRequestId"));
        Assert.Matches("^[0-9a-f]{32}$", line.Text("@tr"));
        var completed = await EventAsync(each =>
            each["StatusCode"] is not null && (string?)each["PartId"] == "SN-0815"
        );
        Assert.Equal((line.Text("@tr"), "order 7, station 3"), (completed.Text("@tr"), completed.Text("XRequestId")));
    }

    [Fact]
    public async Task A_batch_names_its_parts_by_their_files_and_a_refused_one_says_why()
    {
        var category = await _service.FittedAsync("bolt");
        await (
            await _service.Http.PostAsync(
                $"{category.Url}/score/batch",
                CategoryClient.Form(("files", "SN-1.bmp", Parts.Good(1)), ("files", "SN-2.bmp", [1, 2]))
            )
        ).JsonAsync(200);
        await EventAsync(each => (string?)each["PartId"] == "SN-1.bmp" && (string?)each["Decision"] == "Normal");
        await EventAsync(each => (string?)each["PartId"] == "SN-2.bmp" && (string?)each["Code"] == "image_unreadable");
    }

    [Fact]
    public async Task A_request_without_a_name_has_that_of_its_trace()
    {
        var answer = await _service.Http.GetAsync("/v1/jobs/none");
        var problem = await answer.ProblemAsync(404, "job_not_found");
        Assert.Equal(problem.Text("traceId"), answer.Headers.GetValues("X-Request-Id").Single());
        Assert.False(answer.Headers.Contains("X-Part-Id"));
    }

    private async Task<JsonNode> EventAsync(Func<JsonNode, bool> wanted)
    {
        JsonNode? found = null;
        await Eventually.TrueAsync(
            () => Task.FromResult((found = _service.Events.FirstOrDefault(wanted)) is not null),
            () => string.Join('\n', _service.Lines)
        );
        return found!;
    }
}
