using PaDiM.Service.Http;

namespace PaDiM.Service.Tests.Telemetry;

public sealed class RequestIdentityTests
{
    [Theory]
    [InlineData(null, null)]
    [InlineData("  ", null)]
    [InlineData(" SN-1 ", "SN-1")]
    [InlineData("SN\r\n1\u001b\u0085ü", "SN??1???")]
    public void Names_are_printable(string? sent, string? kept) => Assert.Equal(kept, RequestIdentity.Clean(sent));

    [Fact]
    public void Names_are_bounded() => Assert.Equal(128, RequestIdentity.Clean(new string('x', 5000))!.Length);
}
