namespace PaDiM.Core.Tests;

public sealed class ParallelFaultsTests
{
    [Fact]
    public void A_loop_on_several_cores_fails_of_what_its_body_threw()
    {
        var several = new AggregateException(
            new AggregateException(new InvalidOperationException("first"), new InvalidDataException("second"))
        );
        Assert.Equal("first", Assert.Throws<InvalidOperationException>(() => ParallelFaults.Rethrow(several)).Message);
        Assert.Equal(
            "second",
            Assert
                .Throws<InvalidDataException>(() =>
                    ParallelFaults.Rethrow(several, fault => fault is InvalidDataException)
                )
                .Message
        );
        Assert.Equal(
            "first",
            Assert
                .Throws<InvalidOperationException>(() => ParallelFaults.Rethrow(several, fault => fault is IOException))
                .Message
        );
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void A_partition_throws_the_same_on_one_core_and_on_several(int cores) =>
        Assert.Throws<InvalidDataException>(() =>
            Partition.Run(
                100,
                new ParallelOptions { MaxDegreeOfParallelism = cores },
                i => throw new InvalidDataException($"{i}")
            )
        );
}
