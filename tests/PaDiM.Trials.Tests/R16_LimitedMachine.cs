using System.Diagnostics;
using System.Globalization;
using System.Net;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;
using PaDiM.Trials.Support;

namespace PaDiM.Trials;

/// <summary>A machine that gives the service less than all of it, and takes some back while the service runs.</summary>
[Collection(nameof(MeasuresTheMachine))]
public sealed class R16_LimitedMachine
{
    private const long Gibibyte = 1L << 30;

    private const int Categories = 40,
        Clients = 16;

    /// <summary>6000 x 10000 pixels, 60 megapixels.</summary>
    private const int LargeWidth = 6000,
        LargeHeight = 10_000;

    [Fact]
    public async Task Threads_stay_on_the_processors_that_are_left()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The processors of a process are changed with taskset.");
        Assert.SkipUnless(Environment.ProcessorCount > 1, "There is one processor.");
        using var data = new TempDirectory();
        // As many threads as processors: each is bound to one of its own.
        await using var service = await ServiceProcess.StartAsync(data.Path);
        var category = new CategoryClient(service.Http, "flange");
        await category.CreateFittedAsync(8);
        var before = await category.ScoreAsync(Parts.Good(0));
        var left = Allowed("self").Split(',', '-')[0];

        using (var confine = Process.Start("taskset", ["-a", "-c", "-p", left, $"{service.Id}"]))
            await confine.WaitForExitAsync();
        for (var i = 0; i < 8; i++)
            Assert.Equal(before.Number("score"), (await category.ScoreAsync(Parts.Good(0))).Number("score"));
        // Another backbone session, and the threads of a fit.
        await new CategoryClient(service.Http, "cap").CreateFittedAsync(8, new { imageSize = 96, blurSigma = 1 });

        Assert.All(Directory.GetDirectories($"/proc/{service.Id}/task"), task => Assert.Equal(left, AllowedIn(task)));
        Assert.Equal("", service.Errors);
    }

    [Fact]
    public async Task One_and_a_half_processors_are_no_error()
    {
        using var group = ProcessorGroup.CreateQuota(1.5);
        using var data = new TempDirectory();
        await using var service = await ServiceProcess.StartThroughAsync(group.EnterCommand, data.Path);
        // .NET rounds up: with one thread, a third of what the container may use would be left.
        Assert.Equal(
            Math.Min(2, Environment.ProcessorCount),
            (int)(await service.Http.GetJsonAsync("/v1/system")).Number("threads")
        );
        await WorkAsync(service, "flange");
        Assert.Equal("", service.Errors);
    }

    /// <summary>A container's set may begin anywhere, grow and shrink.</summary>
    [Fact]
    public async Task A_set_of_processors_may_begin_anywhere_and_change()
    {
        Assert.SkipUnless(Environment.ProcessorCount > 1, "There is one processor.");
        var last = $"{Environment.ProcessorCount - 1}";
        using var group = ProcessorGroup.CreateSet(last);
        using var data = new TempDirectory();
        await using var service = await ServiceProcess.StartThroughAsync(group.EnterCommand, data.Path);
        Assert.Equal(1, (int)(await service.Http.GetJsonAsync("/v1/system")).Number("threads"));
        await WorkAsync(service, "flange");
        group.SetProcessors($"0-{last}");
        await WorkAsync(service, "cap");
        group.SetProcessors(last);
        await WorkAsync(service, "disc");
        Assert.All(Directory.GetDirectories($"/proc/{service.Id}/task"), task => Assert.Equal(last, AllowedIn(task)));
        Assert.Equal("", service.Errors);
    }

    [Fact]
    public async Task A_container_of_1_GiB_is_never_killed()
    {
        using var group = MemoryGroup.Create(Gibibyte);
        using var data = new TempDirectory();
        await using var service = await ServiceProcess.StartThroughAsync(group.EnterCommand, data.Path);
        var memory = (await service.Http.GetJsonAsync("/v1/system"))["memory"]!;
        Assert.Equal(Gibibyte, (long)memory["limit"]!.Number("bytes"));
        Assert.Equal(Gibibyte / 4, (long)memory["modelCache"]!.Number("bytes"));

        var first = new CategoryClient(service.Http, "c0");
        await first.CreateFittedAsync(12, new { });
        var model = await service.Http.GetByteArrayAsync($"{first.Url}/models/1/export");
        var categories = TrialLength.Of(8, Categories);
        for (var i = 1; i < categories; i++)
        {
            var category = new CategoryClient(service.Http, $"c{i}");
            await category.CreateAsync(new { });
            await (
                await service.Http.PostAsync(
                    $"{category.Url}/models/import",
                    CategoryClient.Raw(model, "application/octet-stream")
                )
            ).JsonAsync(201);
        }
        var expected = (await first.ScoreAsync(Parts.Good(1))).Number("score");
        for (var round = 0; round < 2; round++)
        for (var i = 0; i < categories; i++)
            Assert.Equal(
                expected,
                (await new CategoryClient(service.Http, $"c{i}").ScoreAsync(Parts.Good(1))).Number("score")
            );

        var large = Parts.LargeJpeg(LargeWidth, LargeHeight);
        var all = await Task.WhenAll(
            Enumerable
                .Range(0, Clients)
                .Select(async client =>
                {
                    var statuses = new List<HttpStatusCode>();
                    for (var i = 0; i < TrialLength.Of(2, 20); i++)
                    {
                        var category = new CategoryClient(service.Http, $"c{(client + i) % categories}");
                        using var answer = await category.SendScoreAsync(large, mediaType: "image/jpeg");
                        statuses.Add(answer.StatusCode);
                    }
                    return statuses;
                })
        );
        HttpStatusCode[] answers = [.. all.SelectMany(statuses => statuses)];
        Assert.All(
            answers,
            status => Assert.Contains(status, new[] { HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable })
        );
        Assert.Contains(HttpStatusCode.OK, answers);
        Assert.False(service.HasEnded);
        Trial.Tell(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{categories} categories of {model.Length >> 20} MiB; {answers.Count(a => a == HttpStatusCode.OK)} of "
                    + $"{answers.Length} large JPEGs ({large.Length >> 20} MiB) scored; peak {group.Peak >> 20} MiB"
            )
        );
    }

    [Fact]
    public async Task Memory_is_returned_once_the_line_rests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "It reads /proc.");
        using var data = new TempDirectory();
        await using var service = await ServiceProcess.StartAsync(data.Path);
        var category = new CategoryClient(service.Http, "part");
        await category.CreateFittedAsync(4);
        var large = Parts.Plain(5000, 4000);
        for (var i = 0; i < 4; i++)
        {
            using var answer = await category.SendScoreAsync(large);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
        var memory = new ProcessMemory(service.Id);
        await Eventually.TrueAsync(
            () => Task.FromResult(memory.Now < memory.Peak - 2 * large.Length),
            () => $"It still holds {memory.Now >> 20} MiB of {memory.Peak >> 20}."
        );
    }

    /// <summary>Fits, scores one by one, and scores many at a time: every path through the threads, all with one result.</summary>
    private static async Task WorkAsync(ServiceProcess service, string name)
    {
        var category = new CategoryClient(service.Http, name);
        await category.CreateFittedAsync(4);
        var score = (await category.ScoreAsync(Parts.Good(0))).Number("score");
        var scored = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => category.ScoreAsync(Parts.Good(0))));
        Assert.All(scored, answer => Assert.Equal(1, answer.Number("score") / score, 1e-6));
    }

    private static string Allowed(string process) => AllowedIn($"/proc/{process}");

    private static string AllowedIn(string folder) =>
        File.ReadLines(Path.Combine(folder, "status"))
            .First(line => line.StartsWith("Cpus_allowed_list", StringComparison.Ordinal))
            .Split('\t')[1];
}
