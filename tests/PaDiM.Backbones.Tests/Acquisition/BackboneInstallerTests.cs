using PaDiM.Backbones.Acquisition;
using PaDiM.Backbones.Architectures;
using PaDiM.Backbones.Tests.Support;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Files;
using PaDiM.Engine.Inference;
using PaDiM.Engine.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Backbones.Tests.Acquisition;

/// <summary>Weights of ResNet-18, random ones, become a backbone.</summary>
public sealed class BackboneInstallerTests : IDisposable
{
    private readonly TempDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Weights_are_converted_and_known_by_their_hash_from_then_on()
    {
        var weights = Weights("weights.safetensors");
        var done = await Installer().AddAsync(new InstallRequest("ours", weights), default);
        var manifest = BackboneManifest.Parse(File.ReadAllBytes(_folder.Combine("nets", "ours.json")));
        Assert.Equal(
            ("resnet18", 100, FileHash.Compute(weights), FileHash.Compute(done.File.Path)),
            (manifest.Architecture, manifest.Dimensions, manifest.WeightsSha256, manifest.Sha256)
        );
        Assert.Equal(BackboneArchitecture.GetTaps("resnet18"), manifest.Taps);
        Assert.Equal("weights.safetensors", manifest.Origin);
        Assert.False((await Installer().AddAsync(new InstallRequest("ours", weights), default)).Changed);

        var others = Weights("others.safetensors", changed: true);
        Assert.Contains(
            "--force",
            (
                await Assert.ThrowsAsync<InvalidDataException>(() =>
                    Installer().AddAsync(new InstallRequest("ours", others), default)
                )
            ).Message,
            StringComparison.Ordinal
        );
        Assert.Equal(manifest.Sha256, FileHash.Compute(done.File.Path));
        Assert.True((await Installer().AddAsync(new InstallRequest("ours", others) { Force = true }, default)).Changed);
        Assert.NotEqual(manifest.Sha256, FileHash.Compute(done.File.Path));
        Assert.Equal(FileHash.Compute(others), Installer().FindRecord("ours")!.WeightsSha256);
    }

    [Fact]
    public async Task The_catalogues_weights_are_pulled_and_converted()
    {
        var bytes = File.ReadAllBytes(Weights("weights.safetensors"));
        using var server = FileServer.Of(bytes);
        using var http = FileDownload.CreateClient();
        var entry = BackboneCatalogue.Known.Find("resnet18")! with
        {
            Origin = new Uri(server.Address, "weights.safetensors"),
            SizeBytes = bytes.Length,
            Sha256 = FileHash.Compute(_folder.Combine("weights.safetensors")),
        };
        var pull = new BackbonePull(
            new BackboneCatalogue([entry]),
            Installer(new BackboneCatalogue([entry])),
            new FileDownload(http, TimeProvider.System)
        );
        Assert.True((await pull.RunAsync(new PullRequest("resnet18"), _ => { }, default)).Changed);
        Assert.False((await pull.RunAsync(new PullRequest("resnet18"), _ => { }, default)).Changed);
        Assert.Single(server.Requests);
        using var registry = new BackboneRegistry([_folder.Combine("nets")], BackboneFolder.Cpu);
        Assert.Equal([64, 128, 256], registry.Open("resnet18").TapChannels);
        var listed = new BackboneListing(registry.Directories, BackboneCatalogue.Known)
            .List()
            .Single(backbone => backbone.Name == "resnet18");
        Assert.Equal(
            (BackboneState.Installed, entry.Sha256, 100),
            (listed.State, listed.WeightsSha256, listed.Dimensions)
        );
    }

    [Fact]
    public async Task Weights_of_no_known_network_are_refused_and_leave_nothing()
    {
        RandomWeights.Write(_folder.Combine("odd.safetensors"), [("layer.weight", [2, 2], [1, 2, 3, 4])]);
        Assert.Contains(
            "--architecture",
            (
                await Assert.ThrowsAsync<InvalidDataException>(() =>
                    Installer().AddAsync(new InstallRequest("odd", _folder.Combine("odd.safetensors")), default)
                )
            ).Message,
            StringComparison.Ordinal
        );
        await Assert.ThrowsAsync<InvalidDataException>(() =>
            Installer()
                .AddAsync(
                    new InstallRequest("odd", _folder.Combine("odd.safetensors")) { Architecture = "resnet18" },
                    default
                )
        );
        Assert.Equal([_folder.Combine("nets", ".lock")], Directory.EnumerateFileSystemEntries(_folder.Combine("nets")));
    }

    [Fact]
    public async Task A_backbone_in_another_folder_is_not_hidden_by_one_of_other_bytes()
    {
        var network = _folder.Combine("own.onnx");
        File.WriteAllBytes(network, OnnxGraph.Classifier(-1, 3, -1, -1).ToArray());
        Directory.CreateDirectory(_folder.Combine("more"));
        File.WriteAllBytes(_folder.Combine("more", "own.onnx"), OnnxGraph.Classifier(1, 3, -1, -1).ToArray());
        Assert.Contains(
            "other bytes",
            (
                await Assert.ThrowsAsync<InvalidDataException>(() =>
                    Installer().AddAsync(new InstallRequest("own", network), default)
                )
            ).Message,
            StringComparison.Ordinal
        );
        File.Copy(network, _folder.Combine("more", "own.onnx"), overwrite: true);
        Assert.True((await Installer().AddAsync(new InstallRequest("own", network), default)).Changed);
    }

    [Fact]
    public async Task A_network_that_cannot_be_put_in_place_leaves_the_manifest_as_it_was()
    {
        // A directory that no file can replace.
        Directory.CreateDirectory(_folder.Combine("nets", "own.onnx", "inside"));
        File.WriteAllBytes(_folder.Combine("own.onnx"), OnnxGraph.Classifier(-1, 3, -1, -1).ToArray());
        var request = new InstallRequest("own", _folder.Combine("own.onnx")) { Force = true };
        await Assert.ThrowsAnyAsync<Exception>(() => Installer().AddAsync(request, default));
        Assert.False(File.Exists(_folder.Combine("nets", "own.json")));
        File.WriteAllText(_folder.Combine("nets", "own.json"), """{"origin":"before"}""");
        await Assert.ThrowsAnyAsync<Exception>(() => Installer().AddAsync(request, default));
        Assert.Equal("""{"origin":"before"}""", File.ReadAllText(_folder.Combine("nets", "own.json")));
    }

    [Fact]
    public async Task A_network_that_comes_without_its_weights_is_mended_and_stays_known_by_them()
    {
        var weights = Weights("weights.safetensors");
        var done = await Installer().AddAsync(new InstallRequest("ours", weights), default);
        File.Copy(done.File.Path, _folder.Combine("copy.onnx"));
        File.WriteAllBytes(done.File.Path, [0]);
        Assert.True(
            (await Installer().AddAsync(new InstallRequest("ours", _folder.Combine("copy.onnx")), default)).Changed
        );
        Assert.Equal(
            (FileHash.Compute(weights), "resnet18"),
            (Installer().FindRecord("ours")!.WeightsSha256, Installer().FindRecord("ours")!.Architecture)
        );
    }

    [Fact]
    public async Task Weights_of_a_network_that_pads_otherwise_are_known_by_their_files_name()
    {
        File.WriteAllText(_folder.Combine("tf_efficientnet_b5_ns.pth"), "");
        var request = new InstallRequest("own", _folder.Combine("tf_efficientnet_b5_ns.pth"))
        {
            Architecture = "efficientnet_b5",
        };
        Assert.Contains(
            "pad as TensorFlow",
            (await Assert.ThrowsAsync<InvalidDataException>(() => Installer().AddAsync(request, default))).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Files_left_by_a_killed_process_do_not_matter()
    {
        Directory.CreateDirectory(_folder.Combine("nets", ".staging", "inside"));
        await Installer().AddAsync(new InstallRequest("ours", Weights("weights.safetensors")), default);
        Assert.False(Directory.Exists(_folder.Combine("nets", ".staging")));
    }

    [Fact]
    public async Task A_name_of_the_catalogue_is_its_files_also_by_force()
    {
        var refused = await Assert.ThrowsAsync<InvalidDataException>(() =>
            Installer()
                .AddAsync(new InstallRequest("resnet18", Weights("weights.safetensors")) { Force = true }, default)
        );
        Assert.Contains("--name", refused.Message, StringComparison.Ordinal);
        Assert.Null(Installer().FindRecord("resnet18"));
    }

    [Fact]
    public async Task What_is_known_of_a_network_outlives_its_mending()
    {
        var weights = Weights("weights.safetensors");
        var done = await Installer()
            .AddAsync(new InstallRequest("ours", weights) { Licence = "our own", Origin = "our parts" }, default);
        File.AppendAllText(done.File.Path, "damage");
        Assert.True((await Installer().AddAsync(new InstallRequest("ours", weights), default)).Changed);
        Assert.Equal(
            ("our own", "our parts"),
            (Installer().FindRecord("ours")!.Licence, Installer().FindRecord("ours")!.Origin)
        );
    }

    private BackboneInstaller Installer(BackboneCatalogue? catalogue = null) =>
        new(
            [_folder.Combine("nets"), _folder.Combine("more")],
            catalogue ?? BackboneCatalogue.Known,
            BackboneFolder.Cpu,
            TimeProvider.System
        );

    private string Weights(string name, bool changed = false)
    {
        using var network = new NetworkFile("resnet18");
        RandomWeights.Write(
            _folder.Combine(name),
            network
                .Tensors()
                .Select(
                    (tensor, i) =>
                        changed && i == 0 ? tensor with { Values = [.. tensor.Values.Select(value => -value)] } : tensor
                )
        );
        return _folder.Combine(name);
    }
}
