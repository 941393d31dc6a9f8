using System.Text.Json.Nodes;
using PaDiM.Cli.Tests.Support;
using PaDiM.TestSupport;

namespace PaDiM.Cli.Tests.Backbones;

/// <summary>
/// <c>padim backbones list</c>, <c>pull</c>, <c>add</c> and <c>verify</c>, run as processes against servers on this
/// machine.
/// </summary>
public sealed class CatalogueCommandTests : IDisposable
{
    private const string Mirror = "PADIM_BACKBONE_MIRROR",
        Offline = "PADIM_BACKBONE_OFFLINE",
        Folders = "Padim__BackboneDirectories__0";
    private static readonly byte[] Network = OnnxGraph.Classifier(-1, 3, -1, -1).ToArray();
    private static readonly byte[] Other = OnnxGraph.Classifier(1, 3, -1, -1).ToArray();

    private readonly TempDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Nets => _folder.Combine("nets");

    [Fact]
    public void The_list_shows_installed_and_available_backbones()
    {
        Padim
            .Run("backbones", "add", Write("own.onnx", Network), "--backbones", Nets, "--licence", "my own")
            .Succeeded();
        var ran = Padim.Run("backbones", "list", "--backbones", Nets).Succeeded();
        Assert.Matches("tiny +built in", ran.Output);
        Assert.Matches("own +installed", ran.Output);
        Assert.Matches("wide_resnet50_2 +available", ran.Output);
        var lines = Padim
            .Run("backbones", "list", "--json", "--backbones", Nets)
            .Succeeded()
            .Lines.Select(line => JsonNode.Parse(line)!)
            .ToDictionary(line => line["name"]!.GetValue<string>());
        Assert.Equal("built-in", lines["tiny"]["state"]!.GetValue<string>());
        Assert.Equal("my own", lines["own"]["licence"]!.GetValue<string>());
        Assert.Matches("^[0-9a-f]{64}$", lines["own"]["sha256"]!.GetValue<string>());
        Assert.Equal(
            [100, 550, 200],
            new[] { "resnet18", "wide_resnet50_2", "efficientnet_b5" }.Select(name =>
                lines[name]["dimensions"]!.GetValue<int>()
            )
        );
        Assert.All(
            new[] { "resnet18", "wide_resnet50_2", "efficientnet_b5" },
            name =>
                Assert.Equal(
                    ("available", 3),
                    (lines[name]["state"]!.GetValue<string>(), lines[name]["taps"]!.AsArray().Count)
                )
        );
    }

    [Fact]
    public void Only_printable_text_of_a_manifest_reaches_the_terminal()
    {
        Write("own.json", """{"origin":"\u001b[31mred\u0007","licence":"one\ntwo\u202e"}""");
        var added = Padim.Run("backbones", "add", Write("own.onnx", Network), "--backbones", Nets).Succeeded();
        Assert.Contains("one?two?", added.Output, StringComparison.Ordinal);
        var output = Padim.Run("backbones", "list", "--backbones", Nets).Succeeded().Output;
        Assert.Contains("?[31mred?", output, StringComparison.Ordinal);
        Assert.DoesNotContain(output, c => char.IsControl(c) && c is not ('\n' or '\r'));
    }

    [Fact]
    public void A_network_is_pulled_over_a_connection_that_breaks_and_can_be_fitted_with()
    {
        var requests = 0;
        using var server = new FileServer(request =>
            FileServer.Cut(FileServer.Right(request, Network, "\"v1\""), ++requests == 1 ? 4000 : int.MaxValue)
        );
        var ran = Padim
            .Run("backbones", "pull", "own", "--from", $"{server.Address}net.onnx", "--backbones", Nets)
            .Succeeded();
        Assert.Contains("installed", ran.Output, StringComparison.Ordinal);
        Assert.Equal([null, 4000L], server.Requests.Select(request => request.From));
        FittedModel.Write(_folder.Combine("parts"), 0, 4);
        Padim
            .RunWith(
                Folders,
                Nets,
                "fit",
                _folder.Combine("parts"),
                "--out",
                _folder.Combine("m"),
                "--backbone",
                "own",
                "--image-size",
                "64",
                "--dimensions",
                "5"
            )
            .Succeeded();
        Assert.Contains(
            "already installed",
            Padim
                .Run("backbones", "pull", "own", "--from", $"{server.Address}net.onnx", "--backbones", Nets)
                .Succeeded()
                .Output,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(46_830_571)]
    [InlineData(1000)]
    public void A_damaged_file_of_the_catalogue_is_refused(int size)
    {
        using var server = new FileServer(request => FileServer.Right(request, new byte[size], "\"v1\""));
        var error = Padim
            .RunWith(Mirror, $"{server.Address}", "backbones", "pull", "resnet18", "--backbones", Nets)
            .Failed(1);
        Assert.Contains("another file", error, StringComparison.Ordinal);
        Assert.Equal("/models/resnet18-f37072fd.pth", server.Requests.First().Target);
        Assert.Empty(Directory.EnumerateFiles(Nets, "resnet18*"));
    }

    [Fact]
    public void Offline_the_network_is_not_used()
    {
        using var server = FileServer.Of(Network);
        string[] pull = ["backbones", "pull", "resnet18", "--backbones", Nets, "--mirror", $"{server.Address}"];
        Assert.Contains("Downloads are off", Padim.Run([.. pull, "--offline"]).Failed(1), StringComparison.Ordinal);
        Assert.Contains(
            "resnet18-f37072fd.pth",
            Padim.Run([.. pull, "--offline", _folder.Path]).Failed(1),
            StringComparison.Ordinal
        );
        Write("resnet18-f37072fd.pth", Network);
        Assert.Contains("damaged", Padim.RunWith(Offline, _folder.Path, pull).Failed(1), StringComparison.Ordinal);
        Assert.Empty(server.Requests);
        Assert.True(File.Exists(_folder.Combine("resnet18-f37072fd.pth")));
        Padim
            .Run("backbones", "pull", "own", "--from", Write("own.onnx", Network), "--backbones", Nets, "--offline")
            .Succeeded();
    }

    [Fact]
    public void A_proxy_is_used_instead_of_the_server()
    {
        using var proxy = FileServer.Of(Network);
        Padim
            .Run(
                "backbones",
                "pull",
                "resnet18",
                "--backbones",
                Nets,
                "--mirror",
                "http://nowhere.invalid",
                "--proxy",
                $"{proxy.Address}"
            )
            .Failed(1);
        Assert.Equal("http://nowhere.invalid/models/resnet18-f37072fd.pth", proxy.Requests.First().Target);
        var asked = proxy.Requests.Count;
        Padim
            .RunWith(
                "HTTP_PROXY",
                $"{proxy.Address}",
                "backbones",
                "pull",
                "resnet18",
                "--backbones",
                Nets,
                "--mirror",
                "http://nowhere.invalid"
            )
            .Failed(1);
        Assert.True(proxy.Requests.Count > asked);
    }

    [Fact]
    public void A_network_is_added_with_its_manifest()
    {
        Write(
            "own.json",
            """
            {
              "taps": [{ "tensor": "r2" }, { "tensor": "r3" }],
              "origin": "here",
              "normalisation": { "mean": [0, 0, 0], "std": [1, 1, 1] }
            }
            """
        );
        Padim
            .Run(
                "backbones",
                "add",
                Write("own.onnx", Network),
                "--name",
                "mine",
                "--origin",
                "there",
                "--backbones",
                Nets
            )
            .Succeeded();
        var manifest = JsonNode.Parse(File.ReadAllText(Path.Combine(Nets, "mine.json")))!;
        Assert.Equal("there", manifest["origin"]!.GetValue<string>());
        Assert.Equal(["r2", "r3"], manifest["taps"]!.AsArray().Select(tap => tap!["tensor"]!.GetValue<string>()));
        Assert.Equal(1, manifest["normalisation"]!["std"]![0]!.GetValue<float>());
        Assert.Contains(
            "--force",
            Padim.Run("backbones", "add", Write("other.onnx", Other), "--name", "mine", "--backbones", Nets).Failed(1),
            StringComparison.Ordinal
        );
        Padim
            .Run("backbones", "add", Write("other.onnx", Other), "--name", "mine", "--backbones", Nets, "--force")
            .Succeeded();
        Assert.Equal(Other, File.ReadAllBytes(Path.Combine(Nets, "mine.onnx")));
    }

    [Theory]
    [InlineData("own.onnx", "cannot be used")]
    [InlineData("own.zip", ".safetensors")]
    [InlineData("tiny.onnx", "is built in")]
    [InlineData("a b.onnx", "cannot name a backbone")]
    public void A_file_that_is_not_a_backbone_is_not_added(string file, string expected)
    {
        Assert.Contains(
            expected,
            Padim.Run("backbones", "add", Write(file, "no network"u8.ToArray()), "--backbones", Nets).Failed(1),
            StringComparison.Ordinal
        );
        Assert.Empty(Directory.EnumerateFiles(Nets, "*.*n*"));
        Padim.Run("backbones", "add", _folder.Combine("nothere.onnx"), "--backbones", Nets).Failed(1);
    }

    [Fact]
    public void Verify_finds_the_damaged_one()
    {
        Padim.Run("backbones", "add", Write("own.onnx", Network), "--backbones", Nets).Succeeded();
        File.WriteAllBytes(Path.Combine(Nets, "byhand.onnx"), Network);
        var ran = Padim.Run("backbones", "verify", "--backbones", Nets).Succeeded();
        Assert.Contains("own: intact", ran.Lines);
        Assert.Contains("tiny: intact", ran.Lines);
        Assert.Contains("no SHA-256", ran.Output, StringComparison.Ordinal);
        using (var file = new FileStream(Path.Combine(Nets, "own.onnx"), FileMode.Open))
            file.WriteByte(0xff);
        Assert.Contains(
            "own",
            Padim.Run("backbones", "verify", "--backbones", Nets).Failed(1),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "unusable",
            Padim.Run("backbones", "list", "--backbones", Nets).Succeeded().Output,
            StringComparison.Ordinal
        );
        Padim.Run("backbones", "verify", "tiny", "--backbones", Nets).Succeeded();
        Assert.Contains(
            "padim backbones pull resnet18",
            Padim.Run("backbones", "verify", "resnet18", "--backbones", Nets) is { ExitCode: 1 } missing
                ? missing.Output
                : "",
            StringComparison.Ordinal
        );
        Padim.Run("backbones", "add", Write("own.onnx", Network), "--backbones", Nets).Succeeded();
        Padim.Run("backbones", "verify", "--backbones", Nets).Succeeded();
    }

    [Fact]
    public void A_command_with_a_missing_network_says_how_to_install_it()
    {
        FittedModel.Write(_folder.Combine("parts"), 0, 4);
        Assert.Contains(
            "padim backbones pull wide_resnet50_2",
            Padim
                .Run("fit", _folder.Combine("parts"), "--out", _folder.Combine("m"), "--backbone", "wide_resnet50_2")
                .Failed(1),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void The_papers_dimensions_depend_on_the_backbone()
    {
        Write("own.json", """{"dimensions":6}""");
        Padim.Run("backbones", "add", Write("own.onnx", Network), "--backbones", Nets).Succeeded();
        FittedModel.Write(_folder.Combine("parts"), 0, 4);
        string[] fit =
        [
            "fit",
            _folder.Combine("parts"),
            "--out",
            _folder.Combine("m"),
            "--backbone",
            "own",
            "--backbones",
            Nets,
            "--profile",
            "paper",
            "--image-size",
            "64",
            "--crop-size",
            "none",
        ];
        Assert.Contains(" 6 dimensions", Padim.Run(fit).Succeeded().Output, StringComparison.Ordinal);
        Assert.Contains(
            " 4 dimensions",
            Padim.Run([.. fit, "--dimensions", "4"]).Succeeded().Output,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("backbones pull")]
    [InlineData("backbones pull resnet18")]
    [InlineData("backbones pull resnet18 --backbones nets --mirror ftp://mirror")]
    [InlineData("backbones pull resnet18 --backbones nets --proxy nonsense")]
    [InlineData("backbones add")]
    [InlineData("backbones add own.onnx")]
    [InlineData("backbones add own.pth --backbones nets --architecture vgg16")]
    [InlineData("backbones list resnet18")]
    public void Wrong_usage_exits_with_2(string arguments) => Padim.Run(arguments.Split(' ')).Failed(2);

    private string Write(string name, byte[] bytes)
    {
        File.WriteAllBytes(_folder.Combine(name), bytes);
        return _folder.Combine(name);
    }

    private string Write(string name, string text)
    {
        File.WriteAllText(_folder.Combine(name), text);
        return _folder.Combine(name);
    }
}
