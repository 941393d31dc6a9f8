using System.Diagnostics;
using PaDiM.Client.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Client.Tests;

/// <summary>The Python client, in one file, against a real service and against one that misbehaves.</summary>
public sealed class PythonClientTests(SharedService shared)
{
    private const string Walk = """
        import pathlib, sys
        from padim import Padim, PadimError
        address, category, parts = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
        client = Padim(address)
        settings = dict(imageSize=64, reduction={"dimensions": 16}, blurSigma=2)
        assert client.put_category(category, **settings)["imageSize"] == 64
        counts = []
        images = sorted(parts.glob("good-*.bmp")) + [b"no image"]
        results = list(client.upload(category, images, progress=counts.append))
        assert len([result for result in results if "id" in result]) == 33, results
        assert results[-1]["error"]["code"], results[-1]
        assert counts == [32, 34], counts
        states = []
        model = client.fit(category, progress=lambda job: states.append(job["state"]))
        assert model["version"] == 1 and states[-1] == "succeeded", (model, states)
        bad = (parts / "bad.bmp").read_bytes()
        score = client.score(category, bad, part="Prüfling 1", deadline=60)
        assert score["decision"] == "anomalous", score
        assert client.heatmap(category, parts / "bad.bmp")[1:4] == b"PNG"
        assert client.heatmap(category, bad, accept="application/x-npy")[1:6] == b"NUMPY"
        preview = client.request("POST", f"/categories/{category}/threshold/preview", body={"falseRejectRate": 0.2})
        changed = client.request("PATCH", f"/categories/{category}/threshold", body={"falseRejectRate": 0.2})
        assert changed["threshold"] == preview["proposedThreshold"], (changed, preview)
        assert len(list(client.list(f"/categories/{category}/images", limit=10))) == 33
        frame = client.score(category, bytes(64 * 48), width=64, height=48, format="gray8")
        assert frame["image"]["width"] == 64, frame
        assert any(category == each["name"] for each in client.list("/categories"))
        client.delete_category(category)
        try:
            client.get_category(category)
            raise AssertionError("The category is still there.")
        except PadimError as problem:
            assert (problem.code, problem.status) == ("category_not_found", 404), problem
        """;

    private const string Trouble = """
        import sys, padim
        client = padim.Padim(sys.argv[1], retries=2)
        assert client.score("flange", b"1")["score"] == 1.5
        for code, call in [
            ("rate_limited", lambda: client.get_category("limited")),
            ("unexpected_answer", lambda: client.get_category("page")),
            ("unreachable", lambda: client.request("POST", "/lost", body={})),
            ("deadline_passed", lambda: client.score("silent", b"1", deadline=0.2)),
            ("job_cancelled", lambda: client.wait("j")),
        ]:
            try:
                call()
            except padim.PadimError as problem:
                assert problem.code == code, (code, problem)
            else:
                raise AssertionError(code)
        """;

    [Fact]
    public async Task The_walk_of_the_README()
    {
        using var folder = new TempDirectory();
        for (var seed = 0; seed < 33; seed++)
            await File.WriteAllBytesAsync(folder.Combine($"good-{seed:000}.bmp"), Parts.Good(seed));
        await File.WriteAllBytesAsync(folder.Combine("bad.bmp"), Parts.Bad(70));
        await RunAsync(Walk, shared.Address.ToString(), shared.NewName(), folder.Path);
    }

    [Fact]
    public async Task The_documented_code_runs()
    {
        using var folder = new TempDirectory();
        await DocumentedWalk.WritePartsAsync(folder);
        await RunInAsync(folder, DocumentedWalk.Read("python", shared.Address, shared.NewName()));
        Assert.True(new FileInfo(folder.Combine("heatmap.png")).Length > 100);
    }

    [Fact]
    public async Task Retries_deadlines_and_answers_of_others()
    {
        await using var server = await StubServer.StartAsync(Misbehaviour.AnswerAsync);
        await RunAsync(Trouble, server.Address.ToString());
    }

    [Fact]
    public async Task The_file_is_a_command_too()
    {
        var category = await shared.FittedAsync();
        using var folder = new TempDirectory();
        await File.WriteAllBytesAsync(folder.Combine("bad.bmp"), Parts.Bad(70));
        var file = Path.Combine(Repository.Root, "clients", "python", "padim.py");
        var printed = await PythonAsync(
            [file, shared.Address.ToString(), category, folder.Combine("bad.bmp")],
            folder.Path
        );
        Assert.Contains("anomalous", printed, StringComparison.Ordinal);
    }

    private static async Task RunAsync(string script, params string[] arguments)
    {
        using var folder = new TempDirectory();
        await RunInAsync(folder, script, arguments);
    }

    private static async Task<string> RunInAsync(TempDirectory folder, string script, params string[] arguments)
    {
        await File.WriteAllTextAsync(folder.Combine("script.py"), script);
        File.Copy(Path.Combine(Repository.Root, "clients", "python", "padim.py"), folder.Combine("padim.py"));
        return await PythonAsync([folder.Combine("script.py"), .. arguments], folder.Path);
    }

    /// <summary>Runs Python with every warning as an error, so that what is deprecated or left open fails.</summary>
    private static Task<string> PythonAsync(string[] arguments, string folder) =>
        Programs.RunAsync(
            new ProcessStartInfo("python3", ["-W", "error", "-B", "-X", "utf8", .. arguments])
            {
                WorkingDirectory = folder,
            }
        );
}
