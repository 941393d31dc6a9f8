using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>The program's own command, before, beside and after a service that is a process of its own.</summary>
public sealed class KeysCommandTests
{
    [Fact]
    public async Task Without_a_key_the_service_listens_on_no_address_that_others_reach()
    {
        using var data = new TempDirectory();
        var refused = await ServiceProcess.RefusedAsync(data.Path, ("ASPNETCORE_URLS", "http://0.0.0.0:0"));
        Assert.Equal(1, refused.ExitCode);
        var line = Assert.Single(refused.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        foreach (var word in new[] { "http://0.0.0.0:0", "keys create", "Padim__Access=open" })
            Assert.Contains(word, line, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", refused.Output, StringComparison.Ordinal);

        var (code, printed, _) = await ServiceProcess.RunAsync(
            "keys",
            "create",
            "--data",
            data.Path,
            "--name",
            "boss",
            "--scope",
            "admin"
        );
        Assert.Equal(0, code);
        var key = printed.Trim();
        await using var service = await ServiceProcess.StartAsync(data.Path, ("ASPNETCORE_URLS", "http://0.0.0.0:0"));
        await (await service.Http.GetAsync("/v1/categories")).ProblemAsync(401, "unauthenticated");
        using var boss = Callers.With(service.Http.BaseAddress!, key);
        await (await boss.GetAsync("/v1/categories")).JsonAsync(200);
        Assert.Equal(204, (int)(await boss.DeleteAsync($"/v1/keys/{key.Split('_')[1]}")).StatusCode);
        await (await service.Http.GetAsync("/v1/categories")).ProblemAsync(401, "unauthenticated");
    }

    [Fact]
    public async Task Keys_are_made_listed_and_revoked_beside_a_running_service()
    {
        using var data = new TempDirectory();
        await using var service = await ServiceProcess.StartAsync(data.Path);
        await (await service.Http.GetAsync("/v1/categories")).JsonAsync(200);
        var (_, key, told) = await ServiceCommand.RunTrimmedAsync(
            "keys",
            "create",
            "--data",
            data.Path,
            "--name",
            "line-1",
            "--scope",
            "score",
            "--category",
            "flange",
            "--category",
            "bolt",
            "--days",
            "30"
        );
        var id = key.Split('_')[1];
        Assert.Contains($"Key {id} for line-1: score, flange bolt", told, StringComparison.Ordinal);
        Assert.Contains("The category 'bolt' does not exist yet", told, StringComparison.Ordinal);
        await Eventually.TrueAsync(
            async () => (int)(await service.Http.GetAsync("/v1/categories")).StatusCode == 401,
            () => "The service stayed open."
        );
        using var line = Callers.With(service.Http.BaseAddress!, key);
        await (await line.GetAsync("/v1/categories")).JsonAsync(200);

        var (_, listed, _) = await ServiceCommand.RunTrimmedAsync("keys", "list", "--data", data.Path);
        Assert.Contains($"{id}  line-1: score, flange bolt; expires ", listed, StringComparison.Ordinal);
        Assert.DoesNotContain(key, listed, StringComparison.Ordinal);
        Assert.Equal(0, (await ServiceCommand.RunTrimmedAsync("keys", "revoke", id, "--data", data.Path)).ExitCode);
        Assert.Contains(
            $"Key {id} was already revoked at 2",
            (await ServiceCommand.RunTrimmedAsync("keys", "revoke", id, "--data", data.Path)).Error,
            StringComparison.Ordinal
        );
        await Eventually.TrueAsync(
            async () => (int)(await line.GetAsync("/v1/categories")).StatusCode == 401,
            () => "The key went on opening."
        );
        await (await line.GetAsync("/v1/categories")).ProblemAsync(401, "key_revoked");
        Assert.Contains(
            "revoked 2",
            (await ServiceCommand.RunTrimmedAsync("keys", "list", "--data", data.Path)).Output,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(2, "create", "--name", "x")]
    [InlineData(2, "create", "--name", "x", "--scope", "root")]
    [InlineData(2, "destroy")]
    [InlineData(1, "create", "--name", "anonymous", "--scope", "score")]
    [InlineData(1, "revoke", "000000000000")]
    public async Task What_cannot_be_done_is_said_in_a_sentence(int code, params string[] arguments)
    {
        using var data = new TempDirectory();
        var ran = await ServiceCommand.RunTrimmedAsync(["keys", .. arguments, "--data", data.Path]);
        Assert.True(code == ran.ExitCode, $"{ran}");
        Assert.NotEqual("", ran.Error);
        Assert.DoesNotContain("   at ", ran.Output + ran.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("KnownProxies:0", "proxy.example", "KnownProxies")]
    [InlineData("KnownProxies:0", "127.0.0.1", "Padim__KnownProxies")]
    [InlineData("Oidc:Authority", "http://idp.example", "https")]
    [InlineData("Oidc:Authority", "https://idp.example", "Audience")]
    [InlineData("Access", "maybe", "Access")]
    public async Task A_setting_that_would_let_in_the_wrong_ones_is_refused(string option, string value, string named)
    {
        using var data = new TempDirectory();
        var refused = await ServiceCommand.RefusedAsync(data.Path, (option, value));
        Assert.True(refused.ExitCode == 1, $"{refused}");
        Assert.Contains(named, refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_is_open_everywhere_and_required_is_closed_before_the_first_key()
    {
        using var data = new TempDirectory();
        await using (
            var open = await ServiceProcess.StartAsync(
                data.Path,
                ("ASPNETCORE_URLS", "http://0.0.0.0:0"),
                ("Access", "open")
            )
        )
            await (await open.Http.GetAsync("/v1/categories")).JsonAsync(200);
        await using var closed = await ServiceProcess.StartAsync(data.Path, ("Access", "required"));
        await (await closed.Http.GetAsync("/v1/categories")).ProblemAsync(401, "unauthenticated");
    }
}
