using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

public sealed class DrainTests
{
    [Fact]
    public async Task After_the_signal_readiness_goes_first_and_requests_are_still_answered()
    {
        using var data = new TempDirectory();
        await using var service = await ServiceProcess.StartAsync(data.Path, ("DrainSeconds", 3));
        Assert.Equal("ok", (await service.Http.GetJsonAsync("/health/ready"))["checks"]!.Text("stopping"));
        var ended = service.TerminateAsync();
        await Eventually.TrueAsync(
            async () => (int)(await service.Http.GetAsync("/health/ready")).StatusCode == 503,
            () => "It still says that it is ready."
        );
        Assert.False(ended.IsCompleted);
        var answer = await service.Http.GetAsync("/v1/categories");
        Assert.Equal((200, true), ((int)answer.StatusCode, answer.Headers.ConnectionClose));
        Assert.Equal("ok", (await service.Http.GetJsonAsync("/health/live")).Text("status"));
        Assert.Equal(0, await ended);
    }
}
