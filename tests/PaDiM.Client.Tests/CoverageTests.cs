using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using PaDiM.Client.Tests.Support;
using PaDiM.Service.TestSupport;

namespace PaDiM.Client.Tests;

/// <summary>Every operation of the service has a method of the client, with the right address.</summary>
public sealed partial class CoverageTests(SharedService shared)
{
    /// <summary>Browsers sign in; programs have keys.</summary>
    private static readonly string[] LeftOut = ["GET /v1/session", "POST /v1/session", "DELETE /v1/session"];

    [Fact]
    public async Task Every_operation_has_a_method()
    {
        var document = await (await shared.Service.Http.GetAsync("/swagger/v1/swagger.json")).JsonAsync(200);
        var operations = document["paths"]!
            .AsObject()
            .Where(path => path.Key.StartsWith("/v1/", StringComparison.Ordinal))
            .SelectMany(path =>
                path.Value!.AsObject()
                    .Select(operation => $"{operation.Key.ToUpperInvariant()} {Parameter().Replace(path.Key, "1")}")
            )
            .Except(LeftOut)
            .Order()
            .ToArray();
        await using var server = await StubServer.StartAsync((400, "{}", "application/problem+json", null));
        using var client = new PadimClient(server.Address);

        object[] owners =
        [
            client,
            .. typeof(PadimClient).GetProperties().Select(property => property.GetValue(client)!),
        ];
        foreach (var owner in owners)
        foreach (var method in owner.GetType().GetMethods(BindingFlags.Public | BindingFlags.Instance))
            if (method.Name.EndsWith("Async", StringComparison.Ordinal))
                await CallAsync(owner, method);

        var called = server.Requests.Select(request => request.Line.Split('?')[0]).Distinct().Order().ToArray();
        Assert.Equal(operations, called);
    }

    private static async Task CallAsync(object owner, MethodInfo method)
    {
        var result = method.Invoke(
            owner,
            [.. method.GetParameters().Select(parameter => Value(parameter.ParameterType))]
        )!;
        try
        {
            if (result is Task task)
                await task;
            else
                await (Task)
                    typeof(CoverageTests)
                        .GetMethod(nameof(ReadAsync), BindingFlags.NonPublic | BindingFlags.Static)!
                        .MakeGenericMethod(method.ReturnType.GetGenericArguments())
                        .Invoke(null, [result])!;
        }
        catch (PadimException)
        {
            // The server refuses everything; the address is what counts.
        }
    }

    private static async Task ReadAsync<T>(IAsyncEnumerable<T> items)
    {
        await foreach (var _ in items) { }
    }

    /// <summary>A value for a parameter: "1" for texts, one image, nothing for what may be left out.</summary>
    private static object? Value(Type type) =>
        type == typeof(string) ? "1"
        : type == typeof(int) ? 1
        : type == typeof(ImageSource) ? (ImageSource)new byte[] { 1 }
        : type == typeof(IEnumerable<ImageSource>) || type == typeof(IReadOnlyList<ImageSource>)
            ? new ImageSource[] { new byte[] { 1 } }
        : type == typeof(IAsyncEnumerable<ImageSource>) ? new ImageSource[] { new byte[] { 1 } }.ToAsyncEnumerable()
        : type == typeof(Stream) ? new MemoryStream([1])
        : type == typeof(JsonObject) ? new JsonObject()
        : type.IsInterface || Nullable.GetUnderlyingType(type) is not null ? null
        : Activator.CreateInstance(type);

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex Parameter();
}
