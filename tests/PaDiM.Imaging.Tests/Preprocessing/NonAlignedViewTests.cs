using System.Security.Cryptography;
using PaDiM.Engine.TestSupport;
using PaDiM.Imaging.Preprocessing;

namespace PaDiM.Imaging.Tests.Preprocessing;

public sealed class NonAlignedViewTests
{
    private const int Resized = 256;

    /// <summary>
    /// In Python: <c>h = hashlib.sha256(f"{seed}|{name}".encode()).digest(); a, b, c = struct.unpack("&lt;III",
    /// h[:12]); 10 * (2 * (a / 4294967295) - 1), b % 33, c % 33</c>.
    /// </summary>
    [Theory]
    [InlineData(0, "bottle/test/good/000.png", -3.712260367747456, 15, 6)]
    [InlineData(1, "bottle/test/good/000.png", 5.137719068475468, 24, 12)]
    [InlineData(-3, "a", -5.0101135380124004, 27, 24)]
    public void Seed_and_name_decide_the_draw(int seed, string name, double degrees, int left, int top)
    {
        var view = new NonAlignedView(seed, name);
        Assert.Equal(degrees, view.Degrees, 12);
        Assert.Equal((left, top), (view.Left, view.Top));
    }

    [Fact]
    public void Draws_fill_their_ranges()
    {
        var views = Enumerable.Range(0, 2000).Select(seed => new NonAlignedView(seed, "image")).ToArray();
        Assert.InRange(views.Min(view => view.Degrees), -10, -9.9);
        Assert.InRange(views.Max(view => view.Degrees), 9.9, 10);
        Assert.Equal(Enumerable.Range(0, 33), views.Select(view => view.Left).Distinct().Order());
        Assert.Equal(Enumerable.Range(0, 33), views.Select(view => view.Top).Distinct().Order());
    }

    /// <summary>Of a ramp of 256 pixels, which needs no resizing, a pixel of the view tells where it was.</summary>
    [Fact]
    public void Pixels_lie_where_a_turn_about_the_middle_puts_them_and_the_rest_is_black()
    {
        var ramp = new RgbImage(
            Resized,
            Resized,
            [
                .. from y in Enumerable.Range(0, Resized)
                from x in Enumerable.Range(0, Resized)
                from value in new[] { x, y, 255 }
                select (byte)value,
            ]
        );
        var black = 0;
        for (var seed = 0; seed < 20; seed++)
        {
            var view = new NonAlignedView(seed, "ramp");
            var pixels = view.RenderImage(ramp).Pixels;
            for (var p = 0; p < NonAlignedView.Size * NonAlignedView.Size; p++)
            {
                var (x, y) = Place(view, p);
                if (x is > 0 and < Resized - 1 && y is > 0 and < Resized - 1)
                {
                    Assert.InRange(pixels[3 * p] - x, -0.51, 0.51);
                    Assert.InRange(pixels[3 * p + 1] - y, -0.51, 0.51);
                    Assert.Equal(255, pixels[3 * p + 2]);
                }
                else if (x is < -1 or > Resized || y is < -1 or > Resized)
                {
                    Assert.Equal([0, 0, 0], pixels[(3 * p)..(3 * p + 3)]);
                    black++;
                }
            }
        }
        Assert.NotEqual(0, black);
    }

    [Theory]
    [InlineData(256, 256)]
    [InlineData(900, 700)]
    [InlineData(100, 64)]
    public void A_mask_goes_the_same_way_by_its_nearest_pixels(int width, int height)
    {
        var mask = Samples.Noise(width, height);
        var view = new NonAlignedView(5, "mask");
        var pixels = view.RenderMask(mask).Pixels;
        for (var p = 0; p < NonAlignedView.Size * NonAlignedView.Size; p++)
        {
            var (x, y) = Place(view, p);
            var column = (int)Math.Floor(x + 0.5);
            var row = (int)Math.Floor(y + 0.5);
            var inside = column is >= 0 and < Resized && row is >= 0 and < Resized;
            var from = inside
                ? 3 * ((int)((row + 0.5) * height / Resized) * width + (int)((column + 0.5) * width / Resized))
                : 0;
            Assert.Equal(inside ? mask.Pixels[from..(from + 3)] : [0, 0, 0], pixels[(3 * p)..(3 * p + 3)]);
        }
    }

    [Fact]
    public void The_view_is_the_same_on_every_machine() =>
        Assert.Equal(
            "7108e743003ada5b8da045c83045f6793352ea7d1b0f4d5a5fd9425be0a26a4f",
            Convert.ToHexStringLower(
                SHA256.HashData(new NonAlignedView(0, "sample").RenderImage(Samples.Noise(300, 200)).Pixels)
            )
        );

    /// <summary>Where a pixel of the view lies in the resized image, whose middle is at 127.5.</summary>
    private static (double X, double Y) Place(NonAlignedView view, int pixel)
    {
        var x = pixel % NonAlignedView.Size + view.Left - 127.5;
        var y = pixel / NonAlignedView.Size + view.Top - 127.5;
        var angle = view.Degrees * Math.PI / 180;
        return (127.5 + x * Math.Cos(angle) - y * Math.Sin(angle), 127.5 + x * Math.Sin(angle) + y * Math.Cos(angle));
    }
}
