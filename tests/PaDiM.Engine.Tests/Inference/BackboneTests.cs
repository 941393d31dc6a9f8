using Microsoft.ML.OnnxRuntime;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Inference;
using PaDiM.Engine.Tests.Support;
using PaDiM.Engine.TestSupport;
using PaDiM.Imaging.Preprocessing;
using PaDiM.TestSupport;
using PaDiM.TestSupport.Reference;

namespace PaDiM.Engine.Tests.Inference;

public sealed class BackboneTests
{
    private static readonly OnnxGraph Graph = OnnxGraph.Classifier(-1, 3, -1, -1);

    [Fact]
    public void A_manifest_chooses_the_taps_and_the_normalisation()
    {
        using var folder = new BackboneFolder();
        folder.Put(
            "own",
            Graph,
            """{ "taps": [{ "tensor": "r2" }, { "tensor": "c4" }], "normalisation": { "mean": [0.5, 0.5, 0.5], "std": [1, 1, 1] }, /* why */ "origin": "here", }"""
        );
        var backbone = folder.Registry.Open("own");
        Assert.Equal(["r2", "c4"], backbone.Identity.Taps);
        Assert.Equal([(4, 8), (16, 12)], backbone.Taps.Select(tap => (tap.Stride, tap.Channels)));
        Assert.Equal([0.5f, 0.5f, 0.5f], backbone.Manifest.Normalisation.Mean);
        Assert.Equal("here", backbone.Manifest.Origin);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("""{ "origin": "here" }""")]
    [InlineData("""{ "normalisation": null }""")]
    public void What_a_manifest_leaves_out_takes_its_default(string manifest)
    {
        using var folder = new BackboneFolder();
        var backbone = folder.Put("own", Graph, manifest).Registry.Open("own");
        Assert.Equal(["r2", "r3", "r4"], backbone.Identity.Taps);
        Assert.Equal([0.485f, 0.456f, 0.406f], backbone.Manifest.Normalisation.Mean);
        Assert.Equal([0.229f, 0.224f, 0.225f], backbone.Manifest.Normalisation.Std);
    }

    [Fact]
    public void A_manifest_chooses_the_order_of_channels_and_their_range()
    {
        using var folder = new BackboneFolder();
        folder.Put(
            "own",
            Graph,
            """{ "normalisation": { "mean": [104, 117, 123], "std": [1, 1, 1], "range": 255, "channelOrder": "bgr" } }"""
        );
        var backbone = folder.Registry.Open("own");
        var normalisation = backbone.Manifest.Normalisation;
        Assert.Equal((255, ChannelOrder.Bgr), (normalisation.Range, normalisation.ChannelOrder));
        Assert.Equal("(x - [104, 117, 123]) / [1, 1, 1], BGR", backbone.Identity.Normalisation);
        Assert.Equal(
            normalisation.ToString(),
            BackboneManifest.Parse(backbone.Manifest.ToJson()).Normalisation.ToString()
        );
    }

    [Fact]
    public void Features_of_each_image_of_a_batch_are_those_of_the_image_alone()
    {
        using var folder = new BackboneFolder();
        var backbone = folder.Put("own", Graph).Registry.Open("own");
        var size = new Grid(48, 48);
        var random = new Random(3);
        var prepared = Enumerable.Range(0, 5 * 3 * size.Positions).Select(_ => random.NextSingle()).ToArray();
        using var batch = backbone.Extract(prepared, 5, size, All(backbone));
        for (var i = 0; i < 5; i++)
        {
            using var alone = backbone.Extract(
                prepared[(i * 3 * size.Positions)..((i + 1) * 3 * size.Positions)],
                1,
                size,
                All(backbone)
            );
            foreach (var (one, other) in alone[0].Zip(batch[i]))
            {
                Assert.Equal(one.Grid, other.Grid);
                Assert.Equal(one.Values.ToArray(), other.Values.ToArray());
            }
        }
    }

    [Fact]
    public void A_local_average_filters_each_tap_of_each_image_by_itself()
    {
        using var folder = new BackboneFolder();
        var backbone = folder.Put("own", Graph).Registry.Open("own");
        var size = new Grid(52, 52);
        var prepared = Enumerable.Range(0, 3 * 3 * size.Positions).Select(i => MathF.Sin(i)).ToArray();
        foreach (
            var reduction in new[]
            {
                All(backbone),
                ChannelReduction.Draw(ReductionMethod.Random, backbone.TapChannels, 9, 2),
                ChannelReduction.Draw(ReductionMethod.SemiOrthogonal, backbone.TapChannels, 5, 2),
            }
        )
        {
            using var plain = backbone.Extract(prepared, 3, size, reduction);
            using var averaged = backbone.Extract(
                prepared,
                3,
                size,
                reduction,
                OnThreadPool.Context,
                localAverage: true
            );
            for (var i = 0; i < 3; i++)
                foreach (var (before, after) in plain[i].Zip(averaged[i]))
                {
                    var expected = ReferenceLocalAverage.Apply(
                        [.. before.Values.ToArray().Select(value => (double)value)],
                        before.Grid.Height,
                        before.Grid.Width
                    );
                    foreach (var (one, other) in expected.Zip(after.Values.ToArray()))
                        Assert.Equal(one, other, 1e-5 * Math.Abs(one) + 1e-6);
                }
            using var alone = backbone.Extract(
                prepared[^(3 * size.Positions)..],
                1,
                size,
                reduction,
                OnThreadPool.Context,
                localAverage: true
            );
            foreach (var (one, other) in alone[0].Zip(averaged[2]))
                Assert.Equal(one.Values.ToArray(), other.Values.ToArray());
        }
    }

    [Fact]
    public async Task Work_in_the_background_runs_on_its_scheduler_and_gives_the_same_features()
    {
        using var folder = new BackboneFolder();
        var backbone = folder.Put("own", Graph).Registry.Open("own");
        var size = new Grid(64, 64);
        var prepared = Enumerable.Range(0, 3 * 3 * size.Positions).Select(i => MathF.Sin(i)).ToArray();
        var scheduler = new ConcurrentExclusiveSchedulerPair(TaskScheduler.Default, 2).ConcurrentScheduler;
        var compute = ComputeContext.InBackground(2, scheduler);
        Assert.True(compute.IsBackground);
        Assert.False(compute.BindsCaller);
        Assert.Same(scheduler, compute.ToParallelOptions().TaskScheduler);
        Assert.Same(scheduler, await compute.Start(() => TaskScheduler.Current));

        using var expected = backbone.Extract(prepared, 3, size, All(backbone));
        using var actual = await compute.Start(() => backbone.Extract(prepared, 3, size, All(backbone), compute));

        for (var i = 0; i < 3; i++)
            foreach (var (one, other) in expected[i].Zip(actual[i]))
                Assert.Equal(one.Values.ToArray(), other.Values.ToArray());
    }

    [Theory, InlineData(1), InlineData(4)]
    public void What_the_runtime_has_against_a_batch_is_told_as_one_error_however_many_images_run_side_by_side(
        int count
    )
    {
        using var folder = new BackboneFolder();
        var backbone = folder.Put("fixed", OnnxGraph.Classifier(1, 3, 96, 96)).Registry.Open("fixed");
        var size = new Grid(64, 64);
        Assert.Throws<OnnxRuntimeException>(() =>
            backbone.Extract(new float[count * 3 * size.Positions], count, size, All(backbone))
        );
    }

    [Fact]
    public void The_thread_that_waits_for_workers_is_bound_while_they_work_and_free_afterwards()
    {
        Assert.Null(AffinityScheduler.FindForThreads(1));
        if (AffinityScheduler.FindForThreads(Environment.ProcessorCount) is not { } processors)
            return;
        var before = Allowed();
        var besides = "";
        using (Bind(processors))
        {
            Assert.True(int.TryParse(Allowed(), out _));
            // Another that infers at the same time would have to share the processor.
            var thread = new Thread(() =>
            {
                using (processors.BindCaller())
                    besides = Allowed();
            });
            thread.Start();
            thread.Join();
        }
        Assert.Equal((before, before), (besides, Allowed()));

        // Tests of other classes infer meanwhile, and one thread is bound at a time.
        static AffinityScheduler.Binding Bind(AffinityScheduler processors)
        {
            AffinityScheduler.Binding binding = default;
            Assert.True(
                SpinWait.SpinUntil(
                    () => (binding = processors.BindCaller()).Scheduler is not null,
                    TimeSpan.FromMinutes(1)
                )
            );
            return binding;
        }

        static string Allowed() =>
            File.ReadLines("/proc/thread-self/status")
                .First(line => line.StartsWith("Cpus_allowed_list", StringComparison.Ordinal))
                .Split('\t')[1];
    }

    [Fact]
    public void Features_are_those_of_the_plain_graph()
    {
        using var folder = new BackboneFolder();
        var backbone = folder.Put("own", Graph).Registry.Open("own");
        var expected = OnnxRun.Outputs(OnnxGraph.Classifier(-1, 3, -1, -1).Output("r3").ToArray(), 1, 32)["r3"];
        var random = new Random(5);
        using var features = backbone.Extract(
            [.. Enumerable.Range(0, 3 * 32 * 32).Select(_ => random.NextSingle() * 4 - 2)],
            1,
            new Grid(32, 32),
            All(backbone)
        );
        // All channels of all taps are kept, each tap's in a map of its own.
        var positions = 16;
        var channels = backbone.TapChannels[1];
        var map = features[0][1].Values.ToArray();
        Assert.Equal(positions * channels, map.Length);
        for (var p = 0; p < positions; p++)
        for (var c = 0; c < channels; c++)
            Assert.Equal(expected[c * positions + p], map[p * channels + c]);
    }

    [Fact]
    public void A_projection_within_the_graph_is_that_of_the_concatenated_channels()
    {
        using var folder = new BackboneFolder();
        var backbone = folder.Put("own", Graph).Registry.Open("own");
        var prepared = Enumerable.Range(0, 3 * 64 * 64).Select(i => MathF.Sin(i)).ToArray();
        var reduction = ChannelReduction.Draw(ReductionMethod.SemiOrthogonal, backbone.TapChannels, 5, 3);
        using var all = backbone.Extract(prepared, 1, new Grid(64, 64), All(backbone));
        using var reduced = backbone.Extract(prepared, 1, new Grid(64, 64), reduction);
        var expected = PatchEmbedding.FromTaps(all.GetTaps(0));
        var weights = reduction.Weights.ToArray();
        var embedding = PatchEmbedding.FromTaps(reduced.GetTaps(0));
        for (var p = 0; p < expected.Grid.Positions; p++)
        for (var k = 0; k < 5; k++)
            Assert.Equal(
                Enumerable.Range(0, reduction.InputChannels).Sum(c => (double)expected[p][c] * weights[c * 5 + k]),
                embedding[p][k],
                1e-4
            );
    }

    [Fact]
    public void A_reduction_of_other_taps_is_refused()
    {
        using var folder = new BackboneFolder();
        var backbone = folder.Put("own", Graph).Registry.Open("own");
        var reduction = ChannelReduction.Draw(
            ReductionMethod.None,
            [.. backbone.TapChannels.Reverse().Append(1)],
            1,
            0
        );
        Assert.Throws<ArgumentException>(() =>
            backbone.Extract(new float[3 * 64 * 64], 1, new Grid(64, 64), reduction)
        );
    }

    private static ChannelReduction All(Backbone backbone) =>
        ChannelReduction.Draw(ReductionMethod.None, backbone.TapChannels, 0, 0);

    [Fact]
    public void A_graph_of_fixed_size_says_so()
    {
        using var folder = new BackboneFolder();
        Assert.Equal(96, folder.Put("fixed", OnnxGraph.Classifier(1, 3, 96, 96)).Registry.Open("fixed").FixedSize);
        Assert.Contains(
            "not square",
            folder.Put("oblong", OnnxGraph.Classifier(1, 3, 96, 64)).Refusal("oblong"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_fixed_size_that_no_image_can_have_is_refused()
    {
        using var folder = new BackboneFolder();
        Assert.Contains(
            "2048 are the most",
            folder.Put("vast", OnnxGraph.Classifier(1, 3, 1 << 20, 1 << 20)).Refusal("vast"),
            StringComparison.Ordinal
        );
    }

    /// <summary>Attributes that fit no layer that cuts an image into patches.</summary>
    [Theory]
    [InlineData(1L << 32, 4)]
    [InlineData(1000, 1000)]
    [InlineData(-14, 14)]
    [InlineData(0, 0)]
    public void A_graph_with_tokens_and_strange_strides_is_refused(long stride, long kernel)
    {
        using var folder = new BackboneFolder();
        var graph = new OnnxGraph()
            .Input("x", -1, 3, -1, -1)
            .Weight("w", [2, 3, 4, 4], new float[96])
            .Node(
                "Conv",
                ["x", "w"],
                ["map"],
                OnnxGraph.Ints("strides", stride, stride),
                OnnxGraph.Ints("kernel_shape", kernel, kernel)
            )
            .Node("Flatten", ["map"], ["flat"])
            .Node("Softmax", ["flat"], ["y"])
            .Output("y");
        folder.Put("own", graph, """{ "taps": [{ "tensor": "y" }] }""").Refusal("own");
        folder.Put("found", graph).Refusal("found");
    }

    [Fact]
    public void A_hash_that_is_not_the_manifests_is_refused()
    {
        using var folder = new BackboneFolder();
        var right = Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(Graph.ToArray()));
        folder.Put("right", Graph, $$"""{ "sha256": "{{right}}" }""").Registry.Open("right");
        Assert.Contains(
            "SHA-256",
            folder.Put("wrong", Graph, $$"""{ "sha256": "{{new string('0', 64)}}" }""").Refusal("wrong"),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("""{ "taps": [] }""")]
    [InlineData("""{ "taps": [null] }""")]
    [InlineData("""{ "taps": [{ "stride": 4 }] }""")]
    [InlineData("""{ "taps": ["r2"] }""")]
    [InlineData("""{ "normalisation": { "mean": [0, 0, 0] } }""")]
    [InlineData("""{ "normalisation": { "mean": [0, 0], "std": [1, 1, 1] } }""")]
    [InlineData("""{ "normalisation": { "mean": [0, 0, 0], "std": [1, 0, 1] } }""")]
    [InlineData("""{ "normalisation": { "mean": [0, 0, 0], "std": [1, 1, 1e99] } }""")]
    [InlineData("""{ "normalisation": { "mean": [1e99, 0, 0], "std": [1, 1, 1] } }""")]
    [InlineData("""{ "normalisation": { "mean": [0, 0, 0], "std": [1, 1, 1], "range": 0 } }""")]
    [InlineData("""{ "normalisation": { "mean": [0, 0, 0], "std": [1, 1, 1], "range": 65536 } }""")]
    [InlineData("""{ "normalisation": { "mean": [0, 0, 0], "std": [1, 1, 1], "channelOrder": "gbr" } }""")]
    [InlineData("""{ "normalisation": { "mean": [0, 0, 0], "std": [1, 1, 1], "channelOrder": 2 } }""")]
    [InlineData("""{ "prefixTokens": -1 }""")]
    public void A_manifest_that_makes_no_sense_is_refused(string manifest)
    {
        using var folder = new BackboneFolder();
        Assert.Contains(
            "manifest",
            folder.Put("own", Graph, manifest).Refusal("own"),
            StringComparison.OrdinalIgnoreCase
        );
    }

    [Fact]
    public void A_tap_that_the_graph_lacks_is_named()
    {
        using var folder = new BackboneFolder();
        Assert.Contains(
            "'layer9'",
            folder.Put("own", Graph, """{ "taps": [{ "tensor": "layer9" }] }""").Refusal("own"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Graphs_with_the_wrong_input_are_refused_with_a_clear_sentence()
    {
        using var folder = new BackboneFolder();
        Assert.Contains(
            "(n, 3, h, w)",
            folder
                .Put("grey", new OnnxGraph().Input("x", -1, 1, -1, -1).Conv("x", "y", 1, 4, 3, 4).Output("y"))
                .Refusal("grey"),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "(n, 3, h, w)",
            folder
                .Put(
                    "flat",
                    new OnnxGraph().Input("x", -1, 3).Relu("x", "y").Output("y"),
                    """{ "taps": [{ "tensor": "y" }] }"""
                )
                .Refusal("flat"),
            StringComparison.Ordinal
        );
        var two = new OnnxGraph()
            .Input("x", -1, 3, -1, -1)
            .Input("z", -1, 3, -1, -1)
            .Node("Add", ["x", "z"], ["s"])
            .Conv("s", "y", 3, 4, 3, 4)
            .Output("y");
        Assert.Contains("takes 2 inputs", folder.Put("two", two).Refusal("two"), StringComparison.Ordinal);
    }

    [Fact]
    public void Taps_that_are_no_feature_maps_are_refused_with_a_clear_sentence()
    {
        using var folder = new BackboneFolder();
        var flat = new OnnxGraph().Input("x", -1, 3, -1, -1).Node("Flatten", ["x"], ["y"]).Output("y");
        Assert.Contains(
            "2 axes",
            folder.Put("flat", flat, """{ "taps": [{ "tensor": "y" }] }""").Refusal("flat"),
            StringComparison.Ordinal
        );
        var constant = new OnnxGraph()
            .Input("x", -1, 3, -1, -1)
            .Relu("x", "y")
            .Weight("w", [1, 2, 2, 2], new float[8])
            .Node("Relu", ["w"], ["z"])
            .Output("y");
        Assert.Contains(
            "takes 0 inputs",
            folder.Put("constant", constant, """{ "taps": [{ "tensor": "z" }] }""").Refusal("constant"),
            StringComparison.Ordinal
        );
        var half = new OnnxGraph()
            .Input("x", -1, 3, -1, -1)
            .Node("Cast", ["x"], ["y"], OnnxGraph.Int("to", OnnxGraph.Float16))
            .Output("y", OnnxGraph.Float16);
        folder.Put("half", half, """{ "taps": [{ "tensor": "y" }] }""").Refusal("half");
    }

    [Fact]
    public void A_network_that_gives_no_numbers_is_refused()
    {
        using var folder = new BackboneFolder();
        var broken = new OnnxGraph().Input("x", -1, 3, -1, -1).Node("Log", ["x"], ["y"]).Output("y");
        Assert.Contains(
            "not finite",
            folder.Put("broken", broken, """{ "taps": [{ "tensor": "y" }] }""").Refusal("broken"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Junk_and_empty_files_are_refused()
    {
        using var folder = new BackboneFolder();
        folder.Put("empty", []).Refusal("empty");
        folder.Put("junk", Samples.Noise(50, 50).Pixels).Refusal("junk");
        folder.Put("pointer", "version https://git-lfs.github.com/spec/v1\n"u8.ToArray()).Refusal("pointer");
        var unknown = new OnnxGraph().Input("x", -1, 3, -1, -1).Node("NoSuchLayer", ["x"], ["y"]).Output("y");
        Assert.Contains(
            "NoSuchLayer",
            folder.Put("unknown", unknown, """{ "taps": [{ "tensor": "y" }] }""").Refusal("unknown"),
            StringComparison.Ordinal
        );
    }
}
