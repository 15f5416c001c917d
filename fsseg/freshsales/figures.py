"""The earlier place of `fsseg.figures`, for those who still import it from here."""

from fsseg.figures import counted as counted
from fsseg.figures import number as number
