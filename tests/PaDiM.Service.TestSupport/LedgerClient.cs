using System.Text.Json.Nodes;
using PaDiM.Service.Inspections;

namespace PaDiM.Service.TestSupport;

/// <summary>What a client does with inspections.</summary>
internal static class LedgerClient
{
    /// <summary>Scores an image with the names of its part, and waits until its row and its image are kept.</summary>
    public static async Task<JsonNode> InspectAsync(
        this RunningService service,
        CategoryClient category,
        byte[] bytes,
        string query = "",
        params (string Header, string Value)[] names
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{category.Url}/score{query}")
        {
            Content = CategoryClient.Raw(
                bytes,
                query.Contains("format", StringComparison.Ordinal) ? "application/octet-stream" : "image/bmp"
            ),
        };
        foreach (var (header, value) in names)
            request.Headers.Add(header, value);
        var answer = await (await category.Http.SendAsync(request)).JsonAsync(200);
        await service.SettleAsync();
        return answer;
    }

    /// <summary>Waits until all inspections are kept.</summary>
    public static async Task SettleAsync(this RunningService service)
    {
        await service.Get<InspectionLedger>().FlushAsync(default);
        await Eventually.TrueAsync(
            () => Task.FromResult(service.Get<InspectionImages>().IsIdle),
            () => "Images still wait."
        );
    }
}
