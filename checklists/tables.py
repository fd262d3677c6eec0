"""Canteen ledgers: food samples (M4.11) and purchase batches with their certificates (M4.9)."""

from piccolo.columns import Date, ForeignKey, Integer, Timestamptz, Varchar
from piccolo.columns.base import OnDelete
from piccolo.table import Table

from safety.access.tables import Account
from safety.ledger.entry import Entry


class FoodSample(Entry, Table, tablename="food_sample"):
    """A sample of one dish of one meal, in grams; kept from `stored_at` until `discarded_at`."""

    meal = Varchar(length=10)
    dish = Varchar(length=120)
    grams = Integer()
    stored_at = Timestamptz(default=None)
    discarded_at = Timestamptz(null=True, default=None)
    person = ForeignKey(Account, null=False, on_delete=OnDelete.restrict, index=False)


class PurchaseBatch(Entry, Table, tablename="purchase_batch"):
    """A batch bought for the canteen. `quantity` is in thousandths of `unit`: exact on both databases."""

    item = Varchar(length=120)
    quantity = Integer()
    unit = Varchar(length=20)
    maker = Varchar(length=160)
    produced_on = Date(default=None)
    shelf_life_days = Integer(null=True, default=None)
    supplier = Varchar(length=160, default="")
    certificate_no = Varchar(length=80)
    invoice_no = Varchar(length=80, default="")
