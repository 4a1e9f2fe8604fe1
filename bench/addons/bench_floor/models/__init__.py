from . import bench_floor
from . import bench_orders
from . import bench_stock
