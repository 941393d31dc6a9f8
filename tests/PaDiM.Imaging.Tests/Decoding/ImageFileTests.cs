using System.Text.Json;
using PaDiM.Engine.TestSupport;
using PaDiM.Imaging.Decoding;
using PaDiM.TestSupport;

namespace PaDiM.Imaging.Tests.Decoding;

/// <summary>
/// Files that another program made and another program read: <c>Fixtures/Images/make.py</c>. Each gives its pixels, or
/// is refused for its reason.
/// </summary>
public sealed class ImageFileTests
{
    private static readonly Dictionary<string, Expectation> Expected = JsonSerializer.Deserialize<
        Dictionary<string, Expectation>
    >(ImageFixtures.Read("expected.json"), JsonSerializerOptions.Web)!;

    public static TheoryData<string> Read =>
        [.. Expected.Where(pair => pair.Value.Fault is null).Select(pair => pair.Key)];

    public static TheoryData<string> Refused =>
        [.. Expected.Where(pair => pair.Value.Fault is not null).Select(pair => pair.Key)];

    [Theory]
    [MemberData(nameof(Read))]
    public void A_file_has_the_pixels_that_another_decoder_sees(string name)
    {
        var expected = Expected[name];
        var bytes = ImageFixtures.Read(name);
        var pixels = new RgbImage(expected.Width, expected.Height, ImageFixtures.Read($"{name}.rgb"));
        Assert.InRange(TestDecoder.Difference(pixels, TestDecoder.Image(bytes)), 0, expected.Tolerance);
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void A_file_is_refused_for_what_it_is(string name) =>
        TestDecoder.Refused(ImageFixtures.Read(name), Expected[name].Fault!.Value);

    [Theory]
    [MemberData(nameof(Read))]
    public void A_file_cut_at_any_percent_is_unreadable(string name)
    {
        var bytes = ImageFixtures.Read(name);
        // Of two pictures in one file the second is not read, and may be missing.
        var end = name.Contains("two-pictures", StringComparison.Ordinal)
            ? bytes.AsSpan().IndexOf([(byte)0xFF, (byte)0xD9]) + 2
            : bytes.Length;
        var cuts = Enumerable.Range(1, 99).Select(percent => end * percent / 100).Where(length => length >= 12);
        Assert.Equal(
            "",
            string.Join(
                " ",
                cuts.Where(length =>
                    new ImageDecoder().Decode(bytes[..length])
                        is not DecodeResult.Refused { Fault: ImageFault.Unreadable }
                )
            )
        );
    }

    private sealed record Expectation(
        int Width,
        int Height,
        int Tolerance,
        [property: System.Text.Json.Serialization.JsonConverter(
            typeof(System.Text.Json.Serialization.JsonStringEnumConverter<ImageFault>)
        )]
            ImageFault? Fault
    );
}
