using PaDiM.Service.Tests.Telemetry.Otlp;
using PaDiM.Service.TestSupport;

namespace PaDiM.Service.Tests.Telemetry;

[Collection<TracedTests>]
public sealed class TraceTests(TracedService traced)
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c",
        Parent = "b7ad6b7169203331";

    private readonly OtlpReceiver _receiver = traced.Receiver;
    private readonly ObservedService _service = traced.Service;

    [Fact]
    public async Task A_request_its_stages_its_batch_and_its_job_are_spans()
    {
        var category = await _service.FittedAsync("flange");
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{category.Url}/score")
        {
            Content = CategoryClient.Raw(Parts.Bad(1), "image/bmp"),
        };
        request.Headers.Add("traceparent", $"00-{Trace}-{Parent}-01");
        request.Headers.Add("X-Part-Id", "SN-1");
        await (await _service.Http.SendAsync(request)).JsonAsync(200);

        // The client's trace goes on here: the request, the image below it, the stages below that.
        var root = await SpanAsync(span => span.Trace() == Trace && span.Parent() == Parent);
        var image = await SpanAsync(span => span.Name == "padim.score" && span.Parent() == root.Id());
        Assert.Equal(
            ("flange", 1L, "SN-1", "anomalous"),
            (
                image.Tag("padim.category")!.StringValue,
                image.Tag("padim.model.version")!.IntValue,
                image.Tag("padim.part_id")!.StringValue,
                image.Tag("padim.decision")!.StringValue
            )
        );
        var stages = Below(image)
            .Where(span => span.Name.StartsWith("padim.score.", StringComparison.Ordinal))
            .OrderBy(span => span.StartTimeUnixNano)
            .Select(span => span.Name["padim.score.".Length..])
            .ToArray();
        Assert.Equal(["queue", "decode", "queue", "embed", "distance", "postprocess"], stages);
        Assert.All(
            Below(image),
            span =>
                Assert.True(
                    span.StartTimeUnixNano >= image.StartTimeUnixNano
                        && span.StartTimeUnixNano <= span.EndTimeUnixNano
                        && span.EndTimeUnixNano <= image.EndTimeUnixNano + 5_000_000
                )
        );
        var batch = await SpanAsync(span => span.Name == "padim.batch" && span.Parent() == image.Id());
        Assert.Equal(
            batch.Id(),
            Convert.ToHexStringLower(
                Assert.Single(Below(image).Single(span => span.Name == "padim.score.embed").Links).SpanId.Span
            )
        );

        // The trace of a job has its identifier, and the request that started it names it.
        var job = await SpanAsync(span =>
            span.Name == "padim.job" && span.Tag("padim.category")!.StringValue == category.Name
        );
        var start = await SpanAsync(span =>
            span.Tag("padim.job.id")?.StringValue == job.Trace() && span.Name != "padim.job"
        );
        Assert.Equal(
            (job.Trace(), "", "fit", "succeeded"),
            (
                start.Tag("padim.job.id")!.StringValue,
                job.Parent(),
                job.Tag("padim.job.kind")!.StringValue,
                job.Tag("padim.job.outcome")!.StringValue
            )
        );
        Assert.NotEqual(start.Trace(), job.Trace());
        foreach (var stage in new[] { "embedding", "factorising", "calibrating", "publishing" })
            Assert.Equal(
                job.Id(),
                (await SpanAsync(span => span.Name == $"padim.job.{stage}" && span.Trace() == job.Trace())).Parent()
            );
        Assert.Equal(
            "loaded",
            (await SpanAsync(span => span.Name == "padim.model.load")).Tag("padim.model.load.result")!.StringValue
        );
        Assert.Equal(
            "line-7",
            _receiver.Resource.First(attribute => attribute.Key == "service.name").Value.StringValue
        );
        Assert.DoesNotContain(
            _receiver.Spans,
            span => span.Tag("url.path")?.StringValue is "/metrics" or "/health/ready"
        );
    }

    [Fact]
    public async Task A_batch_is_linked_to_every_image_in_it()
    {
        var category = await _service.FittedAsync("gasket");
        await Task.WhenAll(Enumerable.Range(0, 4).Select(seed => category.ScoreAsync(Parts.Good(seed))));
        var batch = await SpanAsync(span => span.Name == "padim.batch" && span.Tag("padim.batch.size")!.IntValue > 1);
        var members = new List<string> { batch.Parent() };
        members.AddRange(batch.Links.Select(link => Convert.ToHexStringLower(link.SpanId.Span)));
        Assert.Equal(batch.Tag("padim.batch.size")!.IntValue, members.Distinct().Count());
        foreach (var member in members)
            Assert.Equal("padim.score", (await SpanAsync(span => span.Id() == member)).Name);
    }

    [Fact]
    public async Task The_trace_of_a_problem_is_the_trace_of_its_span()
    {
        var problem = await (
            await _service.Http.PostAsync("/v1/categories/nobody/score", CategoryClient.Raw(Parts.Good(1), "image/bmp"))
        ).ProblemAsync(404, "category_not_found");
        Assert.Matches("^[0-9a-f]{32}$", problem.Text("traceId"));
        var span = await SpanAsync(span => span.Trace() == problem.Text("traceId"));
        Assert.Equal("/v1/categories/nobody/score", span.Tag("url.path")!.StringValue);

        const string other = "4bf92f3577b34da6a3ce929d0e0e4736";
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/jobs/none");
        request.Headers.Add("traceparent", $"00-{other}-{Parent}-01");
        Assert.Equal(
            other,
            (await (await _service.Http.SendAsync(request)).ProblemAsync(404, "job_not_found")).Text("traceId")
        );
    }

    private IEnumerable<Span> Below(Span parent) =>
        _receiver.Spans.Where(span => span.Parent() == parent.Id() && span.Trace() == parent.Trace());

    private async Task<Span> SpanAsync(Func<Span, bool> wanted)
    {
        Span? found = null;
        await Eventually.TrueAsync(
            () => Task.FromResult((found = _receiver.Spans.FirstOrDefault(wanted)) is not null),
            () => string.Join('\n', _receiver.Spans)
        );
        return found!;
    }
}
