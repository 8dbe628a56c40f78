namespace Promotions.Domain.Amounts;

/// <summary>What becomes of the part of a quotient that is no whole minor unit.</summary>
public enum RoundingMode : byte
{
    None = 0,
    /// <summary>Ties to the even neighbour.</summary>
    HalfEven = 1,
    /// <summary>Ties to the odd neighbour.</summary>
    HalfOdd = 2,
    /// <summary>Ties toward plus infinity.</summary>
    HalfUp = 3,
    /// <summary>Ties toward minus infinity.</summary>
    HalfDown = 4,
    HalfAwayFromZero = 5,
    HalfTowardZero = 6,
    /// <summary>Toward plus infinity.</summary>
    Up = 7,
    /// <summary>Toward minus infinity.</summary>
    Down = 8,
}

/// <summary>The one place where an amount is rounded.</summary>
public static class Rounding
{
    /// <summary>How a percentage off becomes minor units: a half goes to the shopper. Stated to the shopper as the discount, so the discount is what is
    /// rounded, once per redeemable, and never line by line.</summary>
    public const RoundingMode Discount = RoundingMode.HalfAwayFromZero;

    /// <summary>numerator ÷ denominator in whole units.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The denominator is not positive, or the mode is none.</exception>
    /// <exception cref="OverflowException">The quotient is no Int64.</exception>
    public static long Divide(Int128 numerator, Int128 denominator, RoundingMode mode)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(denominator, Int128.Zero);
        var (quotient, remainder) = Int128.DivRem(numerator, denominator);
        if (remainder < 0) (quotient, remainder) = (quotient - 1, remainder + denominator);   // quotient is the floor from here on

        var tie = remainder - (denominator - remainder);   // below, at or above the half; not 2 × remainder, which may overflow
        var up = remainder > 0 && mode switch
        {
            RoundingMode.HalfEven => tie > 0 || (tie == 0 && !Int128.IsEvenInteger(quotient)),
            RoundingMode.HalfOdd => tie > 0 || (tie == 0 && Int128.IsEvenInteger(quotient)),
            RoundingMode.HalfUp => tie >= 0,
            RoundingMode.HalfDown => tie > 0,
            RoundingMode.HalfAwayFromZero => tie > 0 || (tie == 0 && numerator > 0),
            RoundingMode.HalfTowardZero => tie > 0 || (tie == 0 && numerator < 0),
            RoundingMode.Up => true,
            RoundingMode.Down => false,
            _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "Name the rounding mode."),
        };
        return checked((long)(up ? quotient + 1 : quotient));
    }
}
