using PaDiM.Service.TestSupport;

namespace PaDiM.Service.Tests.Telemetry;

[Collection<BusyTests>]
public sealed class PlainLogTests(BusyService busy)
{
    [Fact]
    public async Task Nothing_that_a_client_sends_forges_a_line()
    {
        var service = busy.Service;
        await (
            await service.Http.PostAsync(
                "/v1/categories/flange/score/batch",
                CategoryClient.Form(("files", "a.bmp\u0085FORGED\u001b[31m", Parts.Good(1)))
            )
        ).JsonAsync(200);
        await service.Http.GetAsync("/v1/nowhere%0AFORGED%0D%0AFORGED");
        await service.Http.GetAsync("/v1/categories/%0AFORGED");
        await service.Http.GetAsync("/v1/jobs/%0AFORGED");
        await Eventually.TrueAsync(
            () => Task.FromResult(service.Lines.Count(line => line.Contains("FORGED", StringComparison.Ordinal)) >= 4),
            () => string.Join('\n', service.Lines)
        );
        Assert.DoesNotContain(
            service.Lines,
            line =>
                line.StartsWith("FORGED", StringComparison.Ordinal)
                || line.Any(character => char.IsControl(character) && character != '\t')
        );
    }
}
