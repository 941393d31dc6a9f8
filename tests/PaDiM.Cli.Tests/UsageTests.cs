using PaDiM.Cli.Tests.Support;

namespace PaDiM.Cli.Tests;

public sealed class UsageTests
{
    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("fit")]
    [InlineData("fit parts")]
    [InlineData("fit parts --out m --image-size abc")]
    [InlineData("fit parts --out m --image-size 8")]
    [InlineData("fit parts --out m --crop-size abc")]
    [InlineData("fit parts --out m --crop-size 300")]
    [InlineData("fit parts --out m --epsilon 0")]
    [InlineData("fit parts --out m --epsilon NaN")]
    [InlineData("fit parts --out m --epsilon x")]
    [InlineData("fit parts --out m --relative-ridge -1")]
    [InlineData("fit parts --out m --relative-ridge NaN")]
    [InlineData("fit parts --out m --quiet-exponent 5")]
    [InlineData("fit parts --out m --shrinkage best")]
    [InlineData("fit parts --out m --blur-sigma -1")]
    [InlineData("fit parts --out m --local-average often")]
    [InlineData("fit parts --out m --image-score median")]
    [InlineData("fit parts --out m --positions all")]
    [InlineData("fit parts --out m --region 0.5,0.5,0.6,0.1")]
    [InlineData("fit parts --out m --region left")]
    [InlineData("fit parts --out m --positions shared --shrinkage ledoit-wolf")]
    [InlineData("fit parts --out m --reduction best")]
    [InlineData("fit parts --out m --device tpu")]
    [InlineData("fit parts --out m --device 7")]
    [InlineData("fit parts --out m --epsilon Infinity")]
    [InlineData("samples parts --size x")]
    [InlineData("fit parts --out m --threads -1")]
    [InlineData("fit parts --out m --threads x")]
    [InlineData("fit parts --out m --no-such-option")]
    [InlineData("fit parts --out m --profile best")]
    [InlineData("fit parts --out m --profile paper --image-size 64")]
    [InlineData("fit parts --out m --crop-size -1")]
    [InlineData("evaluate")]
    [InlineData("evaluate parts --layout coco")]
    [InlineData("evaluate parts --protocol turned")]
    [InlineData("evaluate parts --repeats 0")]
    [InlineData("evaluate parts --repeats x")]
    [InlineData("evaluate parts --frame-step 0")]
    [InlineData("evaluate parts --report results.txt")]
    [InlineData("evaluate parts --image-size 8")]
    [InlineData("evaluate parts --crop-size 300")]
    [InlineData("evaluate parts --protocol non-aligned --crop-size 225")]
    [InlineData("evaluate parts --epsilon 0")]
    [InlineData("export")]
    [InlineData("export model")]
    [InlineData("export model --out m --format tflite")]
    [InlineData("export model --out m --false-reject-rate 0")]
    [InlineData("score model")]
    [InlineData("score model part.png --false-reject-rate 2")]
    [InlineData("score model part.png --false-reject-rate much")]
    public void Wrong_usage_exits_with_2_and_a_message(string arguments) =>
        Padim.Run(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Failed(2);

    [Theory]
    [InlineData("--help", "fit")]
    [InlineData("fit --help", "--image-size")]
    [InlineData("score --help", "--heatmap")]
    [InlineData("export --help", "--format")]
    [InlineData("evaluate --help", "--protocol")]
    public void Help_succeeds(string arguments, string expected) =>
        Assert.Contains(expected, Padim.Run(arguments.Split(' ')).Succeeded().Output, StringComparison.Ordinal);

    /// <summary>Other tests run its entry point; these are the program's own exit codes and streams.</summary>
    [Fact]
    public void A_process_ends_with_the_same_codes()
    {
        Assert.Matches(@"^\d+\.\d+\.\d+", Padim.RunProcess("--version").Succeeded().Output);
        Assert.StartsWith(
            "padim: ",
            Padim.RunProcess("fit", "nowhere", "--out", "m").Failed(1),
            StringComparison.Ordinal
        );
        Padim.RunProcess("fit").Failed(2);
    }

    [Fact]
    public void The_version_is_printed() =>
        Assert.Matches(@"^\d+\.\d+\.\d+", Padim.Run("--version").Succeeded().Output);

    [Fact]
    public void Cuda_on_a_build_without_it_fails_with_the_reason()
    {
        var ran = Padim.Run("score", "model", "part.png", "--device", "cuda");
        Assert.SkipUnless(ran.Error.Contains("CPU only", StringComparison.Ordinal), "This build carries CUDA.");
        Assert.Contains("'cuda'", ran.Failed(1), StringComparison.Ordinal);
    }
}
