namespace PaDiM.Core.Tests;

public sealed class LargeArrayTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData((1 << 20) - 1)]
    [InlineData((5 << 20) + 3)]
    public void An_array_of_any_length_is_zeros(int length)
    {
        var array = LargeArray.Create<byte>(length);
        Assert.Equal(length, array.Length);
        Assert.DoesNotContain(array, value => value != 0);
    }
}
