using System.Security.Cryptography;
using PaDiM.Backbones.Acquisition;
using PaDiM.Backbones.Architectures;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Inference;
using PaDiM.Engine.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Backbones.Tests.Acquisition;

/// <summary>
/// Pulls over a catalogue of the tests' own, whose one network comes as an ONNX file from a server on this machine.
/// </summary>
public sealed class BackbonePullTests : IDisposable
{
    private static readonly byte[] Network = OnnxGraph.Classifier(-1, 3, -1, -1).ToArray();
    private static readonly byte[] Other = new OnnxGraph()
        .Input("pixels", -1, 3, -1, -1)
        .Conv("pixels", "a", 3, 5, 3, 4)
        .Conv("a", "b", 5, 7, 3, 2)
        .Output("b")
        .Output("a")
        .ToArray();
    private static readonly string Sha256 = HashOf(Network);

    private readonly TempDirectory _folder = new();
    private readonly HttpClient _http = FileDownload.CreateClient();

    public void Dispose()
    {
        _http.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_network_is_installed_with_all_that_is_known_of_it()
    {
        using var server = FileServer.Of(Network);
        var done = await PullAsync(Entry(server) with { Sha256 = Sha256, SizeBytes = Network.Length });
        Assert.True(done.Changed);
        Assert.Equal(Network, File.ReadAllBytes(_folder.Combine("net.onnx")));
        var manifest = BackboneManifest.Parse(File.ReadAllBytes(_folder.Combine("net.json")));
        Assert.Equal(
            (Sha256, "a licence", $"{server.Address}models/net.onnx"),
            (manifest.Sha256, manifest.Licence, manifest.Origin)
        );
        Assert.Equal([4, 8, 16], manifest.Taps!.Select(tap => tap.Stride));
        Assert.NotNull(manifest.InstalledAt);
        Assert.Equal(["net.json", "net.onnx"], VisibleFiles());
        using var registry = new BackboneRegistry([_folder.Path], BackboneFolder.Cpu);
        Assert.Equal([8, 10, 12], registry.Open("net").TapChannels);
    }

    [Fact]
    public async Task What_is_in_place_is_not_downloaded_again()
    {
        using var server = FileServer.Of(Network);
        await PullAsync(Entry(server));
        Assert.False((await PullAsync(Entry(server))).Changed);
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_of_another_hash_than_the_catalogues_is_refused_and_the_next_pull_starts_over(bool whole)
    {
        var requests = 0;
        byte[] damaged = [.. Network[..^1], (byte)~Network[^1]];
        using var server = new FileServer(request =>
            FileServer.Right(request, ++requests == 1 ? damaged : Network, "\"v1\"")
        );
        var entry = Entry(server) with { Sha256 = whole ? Sha256 : null, Sha256Prefix = Sha256[..8] };
        Assert.Contains(
            "damaged",
            (await Assert.ThrowsAsync<InvalidDataException>(() => PullAsync(entry))).Message,
            StringComparison.Ordinal
        );
        AssertNoFile();
        Assert.True((await PullAsync(entry)).Changed);
        Assert.Null(server.Requests.Last().From);
    }

    [Fact]
    public async Task Force_takes_no_file_of_another_hash_than_the_catalogues()
    {
        using var server = FileServer.Of(Other);
        await Assert.ThrowsAsync<InvalidDataException>(() =>
            PullAsync(Entry(server) with { Sha256 = Sha256 }, force: true)
        );
        AssertNoFile();
    }

    [Fact]
    public async Task A_hash_that_nobody_knew_holds_from_the_first_time_on()
    {
        byte[] served = Network;
        using var server = new FileServer(request => FileServer.Right(request, served, "\"v1\""));
        await PullAsync(Entry(server));
        served = Other;
        var place = $"{server.Address}models/net.onnx";
        Assert.Contains(
            "other bytes",
            (await Assert.ThrowsAsync<InvalidDataException>(() => PullAsync(Entry(server), from: place))).Message,
            StringComparison.Ordinal
        );
        File.Delete(_folder.Combine("net.onnx"));
        Assert.Contains(
            "other bytes",
            (await Assert.ThrowsAsync<InvalidDataException>(() => PullAsync(Entry(server)))).Message,
            StringComparison.Ordinal
        );
        Assert.False(File.Exists(_folder.Combine("net.onnx")));
        await PullAsync(Entry(server), force: true);
        Assert.Equal(Other, File.ReadAllBytes(_folder.Combine("net.onnx")));
    }

    [Fact]
    public async Task A_damaged_backbone_is_mended()
    {
        using var server = FileServer.Of(Network);
        await PullAsync(Entry(server));
        File.WriteAllBytes(_folder.Combine("net.onnx"), Network[..1000]);
        Assert.True((await PullAsync(Entry(server))).Changed);
        Assert.Equal(Network, File.ReadAllBytes(_folder.Combine("net.onnx")));
    }

    [Fact]
    public async Task A_backbone_of_other_bytes_is_not_replaced()
    {
        File.WriteAllBytes(_folder.Combine("net.onnx"), Other);
        using var server = FileServer.Of(Network);
        Assert.Contains(
            "--force",
            (await Assert.ThrowsAsync<InvalidDataException>(() => PullAsync(Entry(server)))).Message,
            StringComparison.Ordinal
        );
        Assert.Equal(Other, File.ReadAllBytes(_folder.Combine("net.onnx")));
        Assert.False(File.Exists(_folder.Combine("net.json")));
    }

    [Fact]
    public async Task What_is_no_network_is_refused_and_not_installed()
    {
        using var server = FileServer.Of("not a network"u8.ToArray());
        Assert.Contains(
            "cannot be used",
            (await Assert.ThrowsAsync<InvalidDataException>(() => PullAsync(Entry(server)))).Message,
            StringComparison.Ordinal
        );
        Assert.Empty(VisibleFiles());
    }

    [Fact]
    public async Task A_download_that_could_not_be_installed_is_not_fetched_again()
    {
        File.WriteAllBytes(_folder.Combine("net.onnx"), Other);
        using var server = FileServer.Of(Network);
        await Assert.ThrowsAsync<InvalidDataException>(() => PullAsync(Entry(server)));
        Assert.True((await PullAsync(Entry(server), force: true)).Changed);
        Assert.Equal([null, Network.Length - 1L], server.Requests.Select(request => request.From));
        Assert.Equal(Network, File.ReadAllBytes(_folder.Combine("net.onnx")));
        Assert.False(Directory.Exists(_folder.Combine(".downloads")));
    }

    [Fact]
    public async Task What_can_be_refused_before_a_download_is()
    {
        using var server = FileServer.Of(Network);
        Assert.Contains(
            ".safetensors",
            (
                await Assert.ThrowsAsync<InvalidDataException>(() =>
                    PullAsync(Entry(server), from: $"{server.Address}net.zip")
                )
            ).Message,
            StringComparison.Ordinal
        );
        File.WriteAllBytes(_folder.Combine("net.onnx"), Other);
        Assert.Contains(
            "--force",
            (
                await Assert.ThrowsAsync<InvalidDataException>(() => PullAsync(Entry(server) with { Sha256 = Sha256 }))
            ).Message,
            StringComparison.Ordinal
        );
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData("other.pt", "damaged or another file")]
    [InlineData("other.pth", "damaged or another file")]
    [InlineData("other.safetensors", "padim backbones add")]
    public async Task Other_weights_are_not_taken_under_the_catalogues_name(string file, string expected)
    {
        using var server = FileServer.Of(Network);
        using var files = new TempDirectory();
        File.WriteAllBytes(files.Combine(file), Network);
        var entry = Entry(server) with
        {
            Origin = new Uri(server.Address, "models/net-00000000.pth"),
            Sha256Prefix = "00000000",
        };
        foreach (var from in new[] { files.Combine(file), $"{server.Address}{file}" })
            Assert.Contains(
                expected,
                (await Assert.ThrowsAsync<InvalidDataException>(() => PullAsync(entry, from, force: true))).Message,
                StringComparison.Ordinal
            );
        AssertNoFile();
    }

    [Fact]
    public async Task A_folder_of_files_stands_in_for_the_network()
    {
        using var files = new TempDirectory();
        using var server = FileServer.Of(Network);
        var offline = Request(Entry(server)) with { Folder = files.Path, Offline = true };
        Assert.Contains(
            "net.onnx",
            (await Assert.ThrowsAsync<InvalidDataException>(() => PullAsync(Entry(server), offline))).Message,
            StringComparison.Ordinal
        );
        File.WriteAllBytes(files.Combine("net.onnx"), Network);
        await PullAsync(Entry(server), offline);
        await PullAsync(Entry(server) with { Name = "again" }, new PullRequest("again") { From = files.Path });
        File.Copy(files.Combine("net.onnx"), files.Combine("mine.onnx"));
        File.WriteAllText(files.Combine("mine.json"), """{"origin":"elsewhere","dimensions":3}""");
        var mine = await PullAsync(Entry(server), new PullRequest("mine") { From = files.Path });
        Assert.Equal(("elsewhere", 3), (mine.Manifest.Origin, mine.Manifest.Dimensions));
        Assert.Empty(server.Requests);
        Assert.Equal(
            $"{server.Address}models/net.onnx",
            BackboneManifest.Parse(File.ReadAllBytes(_folder.Combine("net.json"))).Origin
        );
    }

    [Fact]
    public async Task A_mirror_takes_the_place_of_the_origins_host_and_nothing_else()
    {
        using var server = FileServer.Of(Network);
        var entry = Entry(server) with { Origin = new Uri("https://nowhere.invalid/models/net.onnx"), Sha256 = Sha256 };
        var done = await PullAsync(entry, Request(entry) with { Mirror = new Uri(server.Address, "copies/") });
        Assert.Equal("/copies/models/net.onnx", Assert.Single(server.Requests).Target);
        Assert.Equal("https://nowhere.invalid/models/net.onnx", done.Manifest.Origin);
    }

    [Fact]
    public async Task A_mirror_without_https_is_asked_only_for_what_a_whole_hash_tells()
    {
        using var server = FileServer.Of(Network);
        var entry = Entry(server) with
        {
            Origin = new Uri("https://nowhere.invalid/models/net.onnx"),
            Sha256Prefix = Sha256[..8],
        };
        var plain = Request(entry) with { Mirror = new Uri("http://mirror.invalid/") };
        Assert.Contains(
            "is not https",
            (await Assert.ThrowsAsync<InvalidDataException>(() => PullAsync(entry, plain))).Message,
            StringComparison.Ordinal
        );
        Assert.True((await PullAsync(entry, plain with { Mirror = server.Address })).Changed);
    }

    [Theory]
    [InlineData("http://192.0.2.1/net.onnx", "https")]
    [InlineData("https://user:password@192.0.2.1/net.onnx", "password")]
    [InlineData("https://192.0.2.1/", "does not end in a file name")]
    [InlineData("https://", "is not a valid URL")]
    [InlineData("/no/such/file.onnx", "/no/such/file.onnx")]
    public async Task Places_that_are_not_asked(string from, string expected)
    {
        using var server = FileServer.Of(Network);
        var failure = await Assert.ThrowsAnyAsync<Exception>(() =>
            PullAsync(Entry(server), Request(Entry(server)) with { From = from, Mirror = server.Address })
        );
        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../net")]
    [InlineData("")]
    [InlineData("tiny")]
    [InlineData("unknown")]
    public async Task Names_that_are_not_taken(string name)
    {
        using var server = FileServer.Of(Network);
        await Assert.ThrowsAsync<InvalidDataException>(() => PullAsync(Entry(server), new PullRequest(name)));
    }

    [Fact]
    public async Task What_a_manifest_beside_a_file_says_of_a_conversion_is_not_believed()
    {
        using var server = FileServer.Of(Network);
        using var files = new TempDirectory();
        File.WriteAllBytes(files.Combine("mine.onnx"), Network);
        File.WriteAllText(
            files.Combine("mine.json"),
            $$"""{"architecture":"resnet18","weightsSha256":"{{new string('0', 64)}}","licence":"theirs"}"""
        );
        var manifest = (await PullAsync(Entry(server), new PullRequest("mine") { From = files.Path })).Manifest;
        Assert.Equal((null, null, "theirs"), (manifest.Architecture, manifest.WeightsSha256, manifest.Licence));
    }

    [Fact]
    public async Task The_list_tells_of_a_file_that_is_not_what_its_manifest_records()
    {
        using var server = FileServer.Of(Network);
        await PullAsync(Entry(server));
        using var registry = new BackboneRegistry([_folder.Path], BackboneFolder.Cpu);
        var listing = new BackboneListing(registry.Directories, BackboneCatalogue.Known);
        Assert.Equal((Sha256, null), Listed());
        File.WriteAllBytes(_folder.Combine("net.onnx"), Other);
        var (hash, error) = Listed();
        Assert.Equal(HashOf(Other), hash);
        Assert.Contains(Sha256, error, StringComparison.Ordinal);

        (string? Sha256, string? Error) Listed() =>
            listing
                .List()
                .Where(backbone => backbone.Name == "net")
                .Select(backbone => (backbone.Sha256, backbone.Error))
                .Single();
    }

    [Fact]
    public async Task A_network_that_the_catalogue_does_not_know_comes_from_where_one_says()
    {
        using var server = FileServer.Of(Network);
        var done = await PullAsync(
            Entry(server),
            new PullRequest("mine") { From = $"{server.Address}x/y.onnx?secret=1" }
        );
        Assert.Equal(
            (_folder.Combine("mine.onnx"), $"{server.Address}x/y.onnx"),
            (done.File.Path, done.Manifest.Origin)
        );
    }

    [Fact]
    public async Task Many_pulls_at_once_are_one()
    {
        using var server = FileServer.Of(Network);
        var done = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => PullAsync(Entry(server)))));
        Assert.Single(done, one => one.Changed);
        Assert.Single(server.Requests);
        Assert.Equal(["net.json", "net.onnx"], VisibleFiles());
    }

    [Fact]
    public void The_catalogue_knows_the_papers_networks_and_larger_ones()
    {
        Assert.Equal(
            [
                ("resnet18", 100),
                ("wide_resnet50_2", 550),
                ("efficientnet_b5", 200),
                ("efficientnet_v2_s", 100),
                ("efficientnet_v2_m", 100),
            ],
            BackboneCatalogue.Known.Entries.Select(entry => (entry.Name, entry.Dimensions))
        );
        Assert.All(
            BackboneCatalogue.Known.Entries,
            entry =>
            {
                Assert.Equal(Uri.UriSchemeHttps, entry.Origin.Scheme);
                Assert.Contains(entry.Architecture, BackboneArchitecture.Names);
                // torchvision's file names carry the beginning of the hash.
                var beginning = Path.GetFileNameWithoutExtension(entry.Origin.LocalPath).Split('-')[^1];
                Assert.StartsWith(beginning, entry.Sha256 ?? entry.Sha256Prefix, StringComparison.Ordinal);
                Assert.True(entry.Sha256 is null || entry.Sha256.Length == 64);
                Assert.False(entry.Accepts(new string('0', 64)));
            }
        );
    }

    [Fact]
    public void Dimensions_of_the_paper_are_the_manifests_then_the_catalogues()
    {
        var catalogue = BackboneCatalogue.Known;
        var empty = new BackboneManifest();
        Assert.Equal(550, catalogue.GetPaperSettings("wide_resnet50_2", empty).Dimensions);
        Assert.Equal(7, catalogue.GetPaperSettings("wide_resnet50_2", empty with { Dimensions = 7 }).Dimensions);
        Assert.Equal(100, catalogue.GetPaperSettings("mine", empty).Dimensions);
        Assert.Throws<InvalidDataException>(() => BackboneManifest.Parse("""{"dimensions":0}"""u8));
    }

    private static CatalogueEntry Entry(FileServer server) =>
        new()
        {
            Name = "net",
            Description = "A network of the tests.",
            Origin = new Uri(server.Address, "models/net.onnx"),
            Licence = "a licence",
            Dimensions = 5,
        };

    private static PullRequest Request(CatalogueEntry entry) => new(entry.Name);

    private Task<Installation> PullAsync(CatalogueEntry entry, string? from = null, bool force = false) =>
        PullAsync(entry, Request(entry) with { From = from, Force = force });

    private Task<Installation> PullAsync(CatalogueEntry entry, PullRequest request)
    {
        var catalogue = new BackboneCatalogue([entry]);
        var installer = new BackboneInstaller([_folder.Path], catalogue, BackboneFolder.Cpu, TimeProvider.System);
        return new BackbonePull(
            catalogue,
            installer,
            new FileDownload(_http, TimeProvider.System) { RetryDelay = TimeSpan.FromMilliseconds(1) }
        ).RunAsync(request, _ => { }, default);
    }

    private void AssertNoFile()
    {
        Assert.Empty(VisibleFiles());
        Assert.Equal([".lock"], Directory.EnumerateFileSystemEntries(_folder.Path).Select(Path.GetFileName));
    }

    private string?[] VisibleFiles() =>
        [
            .. Directory
                .EnumerateFiles(_folder.Path)
                .Select(Path.GetFileName)
                .Where(name => !name!.StartsWith('.'))
                .Order(StringComparer.Ordinal),
        ];

    private static string HashOf(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
